using RedisSessions;
using StackExchange.Redis;
using WebFarm.Farm;
using WebFarm.Race;

namespace WebFarm.Shop;

/// <summary>One instance of the shop. It knows nothing of the others; what they share is Redis.</summary>
internal static class ShopInstance
{
    public static async Task<int> RunAsync(string name)
    {
        try
        {
            var builder = FarmHost.CreateBuilder([]);
            await using var redis = await ConnectionMultiplexer.ConnectAsync(builder.Configuration["Sessions:Redis:Configuration"] + ",abortConnect=false");
            await using var app = Build(builder, redis, name);
            await FarmHost.StartAsync(app);
            Console.WriteLine($"ready {app.Urls.First()}");
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (StartupException e)
        {
            Console.WriteLine($"failed {e.Message}");
            return 1;
        }
    }

    private static WebApplication Build(WebApplicationBuilder builder, IConnectionMultiplexer redis, string name)
    {
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IHostLifetime, TiedToBalancer>();

        builder.Services.AddShop();

        // The framework's own session, for the race.
        builder.Services.AddSharedKeys(redis);
        builder.Services.AddStackExchangeRedisCache(cache =>
        {
            cache.ConnectionMultiplexerFactory = () => Task.FromResult(redis);
            cache.InstanceName = "framework:";
        });
        builder.Services.AddSession();

        var app = builder.Build();
        app.UseShop(name);
        app.UseWhen(static context => context.Request.Path.StartsWithSegments(Contestants.Framework), static framework => framework.UseSession());
        app.MapContestants();
        return app;
    }
}
