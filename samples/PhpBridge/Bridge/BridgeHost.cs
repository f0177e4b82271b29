using System.Globalization;
using Microsoft.Extensions.Logging.Console;
using PhpBridge.Site;
using RedisSessions.TestServers;

namespace PhpBridge.Bridge;

/// <summary>The program that a user starts: the store, PHP, the .NET half in this process, and nginx with one address in front of both.</summary>
internal static class BridgeHost
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var builder = CreateBuilder(args);
            var (store, port) = (Store(builder.Configuration), Port(builder.Configuration));
            var programs = Programs.Find(store);
            using var interrupted = new Interrupted();
            await RunAsync(builder, programs, store, port, interrupted.Token);
            return 0;
        }
        catch (OperationCanceledException)
        {
            // Ended while starting, which is no error.
            return 0;
        }
        catch (StartupException e)
        {
            await Console.Error.WriteLineAsync($"PHP bridge: {e.Message}");
            return 1;
        }
    }

    private static async Task RunAsync(WebApplicationBuilder builder, Programs programs, BridgeStore store, int? port, CancellationToken interrupted)
    {
        if (store == BridgeStore.Redis && !await PhpFpm.HasAsync(programs.PhpFpm, "redis", interrupted))
            throw new StartupException("PHP has no redis extension. On Debian and Ubuntu: apt-get install php-redis; or keep the sessions in files: --store files");

        // Each ends before what it needs: declared first, ended last.
        using var folder = new SiteFolder();
        await using var redis = store == BridgeStore.Redis ? await RedisProcess.TryStartAsync(["--appendonly", "yes"], interrupted) : null;
        var session = redis is null ? SharedSession.InFiles(folder.Sessions) : SharedSession.InRedis(redis.Configuration);
        await using var php = await PhpFpm.StartAsync(programs.PhpFpm, folder, session.Php, interrupted);
        if (php.HasExited)
            throw new StartupException($"php-fpm does not start: {php.Output.ReplaceLineEndings(" ")}");

        await using var app = NetHalf.Build(builder, session, folder);
        await StartAsync(app, interrupted);
        var (nginx, address) = await Nginx.StartAsync(programs.Nginx, folder, new Uri(app.Urls.First()), port, interrupted);
        await using (nginx)
        {
            app.Services.GetRequiredService<PhpView>().Site = address;
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"PHP bridge ready: {address}  (sessions in {(redis is null ? folder.Sessions : $"Redis on {redis.Configuration}")}; pids: nginx={nginx.Id} php-fpm={php.Id}{(redis is null ? "" : $" redis={redis.ProcessId}")}). Ctrl-C ends it."));
            var (nginxEnds, phpEnds) = (nginx.ExitAsync(), php.ExitAsync());
            await Task.WhenAny(Task.Delay(Timeout.InfiniteTimeSpan, interrupted), nginxEnds, phpEnds);
            // Neither of them hears a Ctrl-C by itself.
            var died = nginxEnds.IsCompleted ? nginx : phpEnds.IsCompleted ? php : null;
            // In this order: a request that is under way is answered by what it needs.
            await nginx.StopAsync("QUIT", StopPatience);
            await php.StopAsync("QUIT", StopPatience);
            await app.StopAsync(CancellationToken.None);
            if (died is not null)
                throw new StartupException($"{(died == nginx ? "nginx" : "php-fpm")} has ended: {died.Output.ReplaceLineEndings(" ")}");
        }
    }

    private static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders().AddSimpleConsole(static console => console.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(LogLevel.Warning)
            // What it has to say about a failed start is said once, in one line.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
            // The keys of a run are used by nothing, and go with its folder.
            .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = StopPatience);
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.AddServerHeader = false);
        return builder;
    }

    private static BridgeStore Store(ConfigurationManager configuration) =>
        Enum.TryParse<BridgeStore>(configuration["store"] ?? nameof(BridgeStore.Redis), ignoreCase: true, out var store) && Enum.IsDefined(store)
            ? store
            : throw new StartupException($"--store is \"{configuration["store"]}\": it must be redis or files.");

    private static int? Port(ConfigurationManager configuration) => configuration["port"] switch
    {
        null => null,
        var text when ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0 => port,
        var text => throw new StartupException($"--port is \"{text}\": it must be from 1 to 65535."),
    };

    private static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new StartupException(e.Message.ReplaceLineEndings(" "));
        }
    }
}
