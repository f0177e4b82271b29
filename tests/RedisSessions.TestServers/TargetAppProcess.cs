using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace RedisSessions.TestServers;

/// <summary>loadtests/TargetApp as a process of its own on a free loopback port: one instance of a farm.</summary>
public sealed class TargetAppProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly ChildProcess _child;

    private TargetAppProcess(ChildProcess child, int port)
    {
        _child = child;
        Address = new Uri($"http://127.0.0.1:{port}");
    }

    /// <summary>Where it listens: <c>http://127.0.0.1:port/</c>.</summary>
    public Uri Address { get; }

    public int ProcessId => _child.Id;

    public bool HasExited => _child.HasExited;

    /// <summary>Starts an instance with its sessions in Redis, and waits until it answers.</summary>
    /// <param name="redis">Where its sessions are, as StackExchange.Redis writes it.</param>
    /// <param name="arguments">More settings, for example <c>--Sessions:IdleTimeout=00:00:05</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<TargetAppProcess> StartAsync(string redis, string[] arguments, CancellationToken cancellationToken) =>
        StartAsync(["--Sessions:Handler=redis", $"--Sessions:Redis:Configuration={redis}", .. arguments], cancellationToken);

    /// <summary>Starts an instance and waits until it answers.</summary>
    /// <param name="settings">Where its sessions are, and whatever else: <c>--Sessions:Handler=file</c>, <c>--Sessions:File:Path=…</c></param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<TargetAppProcess> StartAsync(string[] settings, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Next();
            var child = await ChildProcess.StartAsync(
                Dotnet,
                [
                    "exec", App, "--urls", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"), "--contentRoot", Path.GetDirectoryName(App)!,
                    .. settings,
                ],
                cancellationToken);
            var app = new TargetAppProcess(child, port);
            try
            {
                await app.AnswersAsync(cancellationToken);
                return app;
            }
            catch (InvalidOperationException) when (attempt < FreePort.Tries && child.Output.Contains("address already in use", StringComparison.Ordinal))
            {
                await app.DisposeAsync();
            }
            catch
            {
                await app.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>kill -9, as a crash or an operator does it.</summary>
    public Task KillAsync() => _child.KillAsync();

    /// <summary>Sends a signal by name: STOP, CONT, TERM.</summary>
    public Task SignalAsync(string signal) => _child.SignalAsync(signal);

    public ValueTask DisposeAsync() => _child.DisposeAsync();

    private static string App => typeof(TargetAppProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(data => data.Key == "TargetAppPath").Value is { } path && File.Exists(path)
            ? path
            : throw new FileNotFoundException("loadtests/TargetApp is not built in this configuration.");

    /// <summary>The dotnet that runs this process: shared/Microsoft.NETCore.App/10.x.y is three levels below it.</summary>
    private static string Dotnet => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));

    private async Task AnswersAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(5) };
        await Poll.UntilAsync(
            async () =>
            {
                if (_child.HasExited)
                    throw new InvalidOperationException($"TargetApp ended before it answered.\n{_child.Output}");
                try
                {
                    return await client.GetStringAsync("hello", cancellationToken) == "hello" && !_child.HasExited;
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
                {
                    return false;
                }
            },
            Patience, "TargetApp answers", cancellationToken);
    }
}
