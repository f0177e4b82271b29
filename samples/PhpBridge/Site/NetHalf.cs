using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Mvc;
using PhpBridge.Bridge;
using RedisSessions;

namespace PhpBridge.Site;

/// <summary>The half of the site that has moved: pages, and forms that answer with a redirect.</summary>
internal static class NetHalf
{
    public static WebApplication Build(WebApplicationBuilder builder, SharedSession session, SiteFolder folder)
    {
        builder.Configuration.AddInMemoryCollection(session.DotNet);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var sessions = builder.Services.AddRedisSessions();
        if (session.DotNet["Sessions:Handler"] == "redis")
            sessions.AddRedis();
        builder.Services.AddSingleton<PhpView>();
        // The form token is the session's, which PHP checks as well: the framework's own would be no use there.
        builder.Services.AddRazorPages().AddMvcOptions(static mvc => mvc.Filters.Add(new IgnoreAntiforgeryTokenAttribute()));
        builder.Services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(folder.Path));
        builder.Services.Configure<ForwardedHeadersOptions>(static forwarded => forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedProto);

        var app = builder.Build();
        app.UseForwardedHeaders();
        app.UseRouting();
        app.UseRedisSessions();
        app.MapRazorPages();
        app.MapGet("/net/session.json", (HttpContext context, Session session) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            return new { id = Account.Fingerprint(session), values = session.All() };
        }).WithSessionAccess(SessionAccess.ReadOnly);

        var forms = app.MapGroup("/net").AddEndpointFilter(FormToken.CheckAsync).DisableAntiforgery();
        forms.MapPost("/count", static (Session session) =>
        {
            session.Increment("visits.net");
            return Results.Redirect("/net/profile");
        });
        forms.MapPost("/login", static ([FromForm] int user, Session session) =>
        {
            Account.LogIn(session, user);
            return Results.Redirect("/net/profile");
        });
        forms.MapPost("/logout", static (Session session) =>
        {
            session.Destroy(expireCookie: true);
            return Results.Redirect("/");
        });
        forms.MapPost("/city", static ([FromForm] string city, Session session) =>
        {
            session["profile.city"] = city.Trim() is { Length: > 80 } text ? text[..80] : city.Trim();
            return Results.Redirect("/net/profile");
        });
        forms.MapPost("/regenerate", static (Session session) =>
        {
            session.RegenerateId(deleteOld: true);
            session["message"] = "The session has a new id. The old one is dead in both halves.";
            return Results.Redirect("/net/session");
        });
        return app;
    }
}
