using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSessions.AspNetCore.Tests.Docs;

/// <summary>The code of the documents, compiled and, where it can, run. <see cref="DocsTests"/> compares the two.</summary>
internal static class Snippets
{
    public static WebApplication Registration(WebApplicationBuilder builder)
    {
        // snippet: registration_body
        builder.Services.AddRedisSessions()
            .AddRedis("localhost:6379");

        var app = builder.Build();
        app.UseRedisSessions();

        app.MapPost("/login", (Session session) =>
        {
            session["account.current_user_id"] = 42;
            session.RegenerateId(deleteOld: true);
        });
        app.MapPost("/cart", async (Session session, string sku, int quantity) =>
        {
            // Runs again by itself if another request of this visitor was faster.
            await session.UpdateAsync(s => s[$"cart.{sku}"] = s.Get<int>($"cart.{sku}") + quantity);
            session.Flash("message", "Added to your cart.");
        });
        app.MapGet("/cart", (Session session) => session["cart"]);
        app.MapPost("/logout", (Session session) => session.Destroy(expireCookie: true));
        // end

        return app;
    }

    public static async Task<int> Concurrency(Session session, int productId, int price)
    {
        // snippet: concurrency
        // Blind writes: they commute with everything that others do to other keys, and the last one to the same key wins.
        session["ui.theme"] = "dark";
        session.Remove("wizard");

        // Increments and pushes commute with each other: all of them count. Neither of these can conflict.
        session.Increment("visits");
        session.Push("recently_seen", productId);

        // Read, decide, write: exact, because the delegate runs again if another request was faster.
        var left = await session.UpdateAsync(s =>
        {
            var credit = s.Get<int>("credit");
            if (credit >= price)
                s["credit"] = credit - price;
            return s.Get<int>("credit");
        });

        // The same without UpdateAsync is safe too: if "credit" has changed meanwhile, the request is refused with 409.
        if (session.Get<int>("credit") >= price)
            session["credit"] = session.Get<int>("credit") - price;
        // end

        return left;
    }

    public static void KeepingVisitors(WebApplicationBuilder builder)
    {
        // snippet: keeping_visitors
        // What AddSession() used: its cache, and the keys that protect its cookies. Both stay until the last old session has expired.
        builder.Services.AddStackExchangeRedisCache(options => options.Configuration = "localhost:6379");
        builder.Services.AddDataProtection().SetApplicationName("shop").PersistKeysToFileSystem(new DirectoryInfo("/var/lib/shop/keys"));

        builder.Services.AddRedisSessions()
            .AddRedis("localhost:6379")
            .Import(ImportFrom.AspNetCoreSession());
        // end
    }

    public static void Migrating(WebApplication app)
    {
        // snippet: access
        // One request of a visitor at a time, on whatever instance: for code that was written for that.
        app.MapPost("/checkout", (HttpContext context) => context.Session.SetString("step", "paid"))
            .WithSessionAccess(SessionAccess.Exclusive);

        // Reads only: never waits, never writes.
        app.MapGet("/progress", (HttpContext context) => context.Session.GetString("step"))
            .WithSessionAccess(SessionAccess.ReadOnly);

        // No session and no I/O, for a whole group.
        var assets = app.MapGroup("/assets").WithSessionAccess(SessionAccess.None);
        // end
        assets.MapGet("/logo", () => "logo");

        // snippet: sign_in
        app.MapPost("/sign-in", (Session session, string user, bool remember) =>
        {
            // Whoever knew the id before the login does not know it any more.
            session.RegenerateId(deleteOld: true);
            session["account.current_user_id"] = user;
            if (remember)
            {
                session.IsPersistent = true;                          // the cookie outlives the browser
                session.IdleTimeout = TimeSpan.FromDays(14);          // ends when unused for two weeks
                session.AbsoluteTimeout = TimeSpan.FromDays(90);      // and after three months in any case
            }
        });
        // end

        // snippet: directory
        app.MapGet("/account/sessions", async (Session session, ISessionDirectory directory) =>
            from other in await directory.ListAsync(session.Get<string>("account.current_user_id")!, session)
            select new { id = other.Key.Value, other.UserAgent, other.LastSeenAt, other.IsCurrent });

        app.MapPost("/account/sign-out-everywhere-else", async (Session session, ISessionDirectory directory) =>
            await directory.EndOthersAsync(session));
        // end
    }

    public static WebApplication Health(WebApplicationBuilder builder)
    {
        // snippet: health
        builder.Services.AddHealthChecks().AddRedisSessionsHealthCheck();

        var app = builder.Build();
        app.UseRedisSessions();
        // For the balancer: does this instance want requests?
        app.MapHealthChecks("/health/ready", new() { Predicate = check => check.Tags.Contains("ready") }).WithSessionAccess(SessionAccess.None);
        // For whoever restarts what is dead.
        app.MapHealthChecks("/health/live", new() { Predicate = check => check.Tags.Contains("live") }).WithSessionAccess(SessionAccess.None);
        // end

        return app;
    }
}
