using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using WebFarm.Race;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms;

namespace WebFarm.Farm;

/// <summary>The program that a user starts: Redis, three instances, and one address in front of them.</summary>
internal static class Balancer
{
    private const string DefaultAddress = "http://127.0.0.1:7300";

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var builder = FarmHost.CreateBuilder(args);
            await using var redis = await RedisSource.OpenAsync(builder.Configuration);
            await using var app = Build(builder, redis);
            await ServeAsync(app, redis);
            return 0;
        }
        catch (StartupException e)
        {
            await Console.Error.WriteLineAsync($"Web farm: {e.Message}");
            return 1;
        }
    }

    private static WebApplication Build(WebApplicationBuilder builder, RedisSource redis)
    {
        if (string.IsNullOrEmpty(builder.Configuration[WebHostDefaults.ServerUrlsKey]))
            builder.WebHost.UseUrls(DefaultAddress);
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.AddSharedKeys(redis.Connection);

        // By environment, not by command line: Redis may have a password, and everybody can read command lines.
        var settings = builder.Configuration.GetSection("Sessions").AsEnumerable()
            .Append(new("Sessions:Redis:Configuration", redis.Configuration))
            .Select(static setting => new KeyValuePair<string, string?>(setting.Key.Replace(":", "__", StringComparison.Ordinal), setting.Value))
            .Where(static setting => setting.Value is not null).ToArray();
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<Fleet>(services, (object)settings));
        builder.Services.AddReverseProxy()
            .LoadFromMemory(Routes.All, Routes.Cluster([], asks: false))
            .ConfigureHttpClient(static (_, client) => client.ConnectTimeout = TimeSpan.FromSeconds(2))
            .AddTransforms(static transforms =>
            {
                transforms.AddRequestTransform(Announce);
                transforms.AddResponseTransform(Obey);
            });

        var app = builder.Build();
        app.MapReverseProxy(static proxy =>
        {
            proxy.UseMiddleware<NextInstance>();
            proxy.UseLoadBalancing();
            proxy.UsePassiveHealthChecks();
        });
        return app;
    }

    private static async Task ServeAsync(WebApplication app, RedisSource redis)
    {
        var fleet = app.Services.GetRequiredService<Fleet>();
        try
        {
            await FarmHost.StartAsync(app);
            // The framework's session needs one key ring for all instances. Made here, so that three of them do not make three.
            app.Services.GetDataProtector("first").Protect("key");
            await fleet.StartAsync(app.Lifetime.ApplicationStopping);
            var pids = string.Join(' ', fleet.Instances.Select(static instance => $"{instance.Name}={instance.Pid}"));
            Console.WriteLine($"Web farm ready: {AddressOf(app.Services)}  (instances by pid: {pids}; Redis: {redis.Description}). Ctrl-C ends it.");
            await app.WaitForShutdownAsync();
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Ended while starting, which is no error.
        }
    }

    private static ValueTask Announce(RequestTransformContext transform)
    {
        var services = transform.HttpContext.RequestServices;
        var view = new FarmView(AddressOf(services), services.GetRequiredService<Fleet>().Instances);
        transform.ProxyRequest.Headers.Remove(FarmView.Header);
        transform.ProxyRequest.Headers.Add(FarmView.Header, view.ToJson());
        return default;
    }

    private static async ValueTask Obey(ResponseTransformContext transform)
    {
        var response = transform.HttpContext.Response;
        var order = FarmOrder.Parse(response.Headers[FarmOrder.Header]);
        response.Headers.Remove(FarmOrder.Header);
        if (order is not null)
            await transform.HttpContext.RequestServices.GetRequiredService<Fleet>().ObeyAsync(order);
    }

    /// <summary>As this machine reaches it, with the port that the system chose if it was asked to.</summary>
    private static string AddressOf(IServiceProvider services)
    {
        var address = services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        return address.Replace("[::]", "127.0.0.1", StringComparison.Ordinal).Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);
    }
}
