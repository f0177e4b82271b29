using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSessions.AspNetCore.Tests.Docs;

/// <summary>The code of the documents, compiled and, where it can, run. <see cref="DocsTests"/> compares the two.</summary>
internal static class Snippets
{
    public static WebApplication Registration(WebApplicationBuilder builder)
    {
        // snippet: registration
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
}
