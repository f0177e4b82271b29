using RedisSessions;
using WebFarm.Farm;

namespace WebFarm.Shop;

/// <summary>What every instance of the shop is made of, wherever it runs.</summary>
internal static class ShopParts
{
    public static void AddShop(this IServiceCollection services, Action<RedisHandlerOptions>? configure = null)
    {
        // Sessions: this is all that an application needs. Where Redis is comes from the configuration: Sessions:Redis:Configuration.
        // Told to stop, it goes on for longer than a balancer may take to hear of it: two rounds of asking, each held up for a second by an instance that does not answer.
        var sessions = services.AddRedisSessions(static sessions => sessions.ShutdownDelay = TimeSpan.FromSeconds(3));
        _ = configure is null ? sessions.AddRedis() : sessions.AddRedis(configure);
        services.AddHealthChecks().AddRedisSessionsHealthCheck();
    }

    public static void UseShop(this WebApplication app, string name)
    {
        app.Use((context, next) =>
        {
            context.Response.Headers[FarmView.AnsweredBy] = name;
            return next(context);
        });
        app.UseStaticFiles();
        app.UseRouting();
        app.UseRedisSessions();
        app.MapHealthChecks(Routes.Ready, new() { Predicate = static check => check.Tags.Contains("ready") }).WithSessionAccess(SessionAccess.None);
        app.MapHealthChecks(Routes.Live, new() { Predicate = static check => check.Tags.Contains("live") }).WithSessionAccess(SessionAccess.None);
        app.MapShop(name);
        app.MapApi();
    }
}
