using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;

namespace Peers;

/// <summary>The framework's own session over <c>AddStackExchangeRedisCache</c>, as its documentation sets it up.</summary>
internal static class FrameworkPeer
{
    public static void AddServices(IServiceCollection services, string redis, string? keys)
    {
        services.AddStackExchangeRedisCache(options => options.Configuration = redis);
        services.AddSession(options =>
        {
            options.Cookie.Name = "session";
            options.Cookie.SecurePolicy = CookieSecurePolicy.None;
        });
        // The keys that encrypt its cookie, where they do not mix with the user's own.
        var protection = services.AddDataProtection();
        if (keys is not null)
            protection.PersistKeysToFileSystem(new DirectoryInfo(keys));
    }

    /// <param name="app">The peer.</param>
    /// <param name="payload">What <c>/seed</c> stores.</param>
    /// <param name="load">Whether endpoints load the session asynchronously first, as the framework's documentation advises; otherwise the first access blocks its thread.</param>
    public static void Map(WebApplication app, byte[] payload, bool load)
    {
        var seed = JsonDocument.Parse(payload).RootElement.Clone();
        app.UseSession();

        app.MapGet("/seed", async (HttpContext context) =>
        {
            var session = await SessionOf(context);
            foreach (var value in seed.EnumerateObject())
            {
                if (value.Value.ValueKind == JsonValueKind.Number)
                    session.SetInt32(value.Name, value.Value.GetInt32());
                else
                    session.SetString(value.Name, value.Value.GetString()!);
            }

            return "ok";
        });

        app.MapGet("/read", async (HttpContext context) =>
            (await SessionOf(context)).GetInt32("account.current_user_id")?.ToString(CultureInfo.InvariantCulture) ?? "");

        app.MapGet("/set", async (HttpContext context, string key, string val) =>
        {
            (await SessionOf(context)).SetString(key, val);
            return "ok";
        });

        app.MapGet("/incr", async (HttpContext context) =>
        {
            var session = await SessionOf(context);
            var n = (session.GetInt32("n") ?? 0) + 1;
            session.SetInt32("n", n);
            return n.ToString(CultureInfo.InvariantCulture);
        });

        async ValueTask<ISession> SessionOf(HttpContext context)
        {
            if (load)
                await context.Session.LoadAsync();
            return context.Session;
        }
    }
}
