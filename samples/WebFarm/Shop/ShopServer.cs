using System.Globalization;
using System.Reflection;
using OpenTelemetry.Metrics;
using RedisSessions;
using WebFarm.Farm;

namespace WebFarm.Shop;

/// <summary>
/// One instance of the shop by itself, behind whatever balancer there is: what runs in a container. Settings come from the environment, as everywhere in
/// ASP.NET Core; the password of Redis comes from a file, because environments and command lines are shown to many.
/// </summary>
internal static class ShopServer
{
    /// <summary>The setting that names the file with the password of Redis: <c>Redis:PasswordFile</c>.</summary>
    public const string PasswordFile = "Redis:PasswordFile";

    // The port on which metrics are shown, Metrics:Port; by default the one of OpenTelemetry's exporter. The balancer in front knows only the other one.
    private const int MetricsPort = 9464;

    // Who looks on during a rollout sees which version answers.
    private static readonly string Version = typeof(ShopServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
            builder.Logging.ClearProviders().AddSimpleConsole(static console => console.SingleLine = true)
                .AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
                // That an instance which leaves is not ready is what it is asked for; it need not be said each time.
                .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None)
                // What it has to say about a failed start is said once, in one line.
                .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.AddServerHeader = false);
            var password = ReadPassword(builder.Configuration[PasswordFile]);
            builder.Services.AddShop(redis => redis.ConfigureClient = client =>
            {
                client.Password = password ?? client.Password;
                return Task.CompletedTask;
            });
            builder.Services.AddOpenTelemetry().WithMetrics(static metrics => metrics
                .AddMeter("RedisSessions", "Microsoft.AspNetCore.Hosting", "System.Runtime")
                .AddPrometheusExporter());

            await using var app = builder.Build();
            var metricsPort = app.Configuration.GetValue("Metrics:Port", MetricsPort);
            app.UseOpenTelemetryPrometheusScrapingEndpoint(context => context.Connection.LocalPort == metricsPort && context.Request.Path == "/metrics");
            app.Use(static (context, next) =>
            {
                context.Response.Headers["X-Version"] = Version;
                return next(context);
            });
            // Only the farm's own balancer tells an instance where the farm is. Here nobody does, and from a visitor it would be an order to call any address.
            app.Use(static (context, next) =>
            {
                context.Request.Headers.Remove(FarmView.Header);
                return next(context);
            });
            app.UseShop(Environment.MachineName);
            await FarmHost.StartAsync(app);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (StartupException e)
        {
            await Console.Error.WriteLineAsync($"Shop: {e.Message}");
            return 1;
        }
    }

    /// <summary>The health check of a container whose image has no curl: exit code 0 when the instance answers that it is well.</summary>
    /// <param name="path">What is asked, <c>/health/live</c> or <c>/health/ready</c>.</param>
    public static async Task<int> CheckAsync(string path)
    {
        var ports = Environment.GetEnvironmentVariable("ASPNETCORE_HTTP_PORTS") ?? "8080";
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(3) };
        try
        {
            using var answer = await client.GetAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ports.Split(';')[0]}{path}")));
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return 1;
        }
    }

    private static string? ReadPassword(string? file)
    {
        if (string.IsNullOrEmpty(file))
            return null;
        try
        {
            // While a password changes the file has two, one per line, and the first is the one to use.
            return File.ReadLines(file).Select(static line => line.Trim()).FirstOrDefault(static line => line.Length > 0)
                ?? throw new StartupException($"{PasswordFile}: {file} is empty. It must hold the password of Redis.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"{PasswordFile}: {e.Message} The file must hold the password of Redis, and the user that runs the shop must be able to read it.");
        }
    }
}
