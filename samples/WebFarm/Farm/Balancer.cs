using System.Runtime.InteropServices;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using WebFarm.Race;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms;

namespace WebFarm.Farm;

/// <summary>The program that a user starts: Redis, three instances, and one address in front of them. With nginx in front it only hears the instances' orders.</summary>
internal static class Balancer
{
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var builder = FarmHost.CreateBuilder(args);
            // Until there is a host that hears it, Ctrl-C must not leave the servers behind that were started before.
            using var interrupted = new CancellationTokenSource();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
            var settings = FarmSettings.Of(builder.Configuration);
            var nginx = settings.NginxAddress();
            await using var redis = await RedisSource.OpenAsync(settings, interrupted.Token);
            await using var app = Build(builder, redis, settings.Urls, nginx);
            await ServeAsync(app, redis, usesNginx: nginx is not null, interrupted.Token);
            return 0;

            void Interrupt(PosixSignalContext signal)
            {
                signal.Cancel = true;
                interrupted.Cancel();
            }
        }
        catch (OperationCanceledException)
        {
            // Ended while starting, which is no error.
            return 0;
        }
        catch (StartupException e)
        {
            await Console.Error.WriteLineAsync($"Web farm: {e.Message}");
            return 1;
        }
    }

    private static WebApplication Build(WebApplicationBuilder builder, RedisSource redis, string urls, string? nginx)
    {
        builder.WebHost.UseUrls(nginx is null ? urls : "http://127.0.0.1:0");
        builder.Services.AddSingleton(services => new FrontDoor(services.GetRequiredService<IServer>(), nginx));
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

    private static async Task ServeAsync(WebApplication app, RedisSource redis, bool usesNginx, CancellationToken interrupted)
    {
        var (fleet, door) = (app.Services.GetRequiredService<Fleet>(), app.Services.GetRequiredService<FrontDoor>());
        using var ending = interrupted.Register(app.Lifetime.StopApplication);
        try
        {
            await FarmHost.StartAsync(app);
            // The framework's session needs one key ring for all instances. Made here, so that three of them do not make three.
            app.Services.GetDataProtector("first").Protect("key");
            await fleet.StartAsync(app.Lifetime.ApplicationStopping);
            await using var nginx = usesNginx ? await NginxFront.StartAsync(fleet, door, app.Lifetime.ApplicationStopping) : null;
            var balancer = nginx is null ? "" : $"; nginx by pid: {nginx.Pid}";
            var pids = string.Join(' ', fleet.Instances.Select(static instance => $"{instance.Name}={instance.Pid}"));
            Console.WriteLine($"Web farm ready: {door.Address}  (instances by pid: {pids}{balancer}; Redis: {redis.Description}). Ctrl-C ends it.");
            await app.WaitForShutdownAsync(CancellationToken.None);
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Ended while starting, which is no error.
        }
    }

    private static ValueTask Announce(RequestTransformContext transform)
    {
        var services = transform.HttpContext.RequestServices;
        var view = new FarmView(services.GetRequiredService<FrontDoor>().Address, services.GetRequiredService<Fleet>().Instances);
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
}
