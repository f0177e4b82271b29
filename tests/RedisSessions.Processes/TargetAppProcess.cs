using System.Reflection;

namespace RedisSessions.TestServers;

/// <summary>loadtests/TargetApp as a process of its own: one instance of a farm.</summary>
public sealed class TargetAppProcess : IAsyncDisposable
{
    private readonly AppProcess _app;

    private TargetAppProcess(AppProcess app) => _app = app;

    /// <summary>Where it listens: <c>http://127.0.0.1:port/</c>.</summary>
    public Uri Address => _app.Address;

    public int ProcessId => _app.ProcessId;

    public bool HasExited => _app.HasExited;

    /// <summary>Starts an instance with its sessions in Redis, and waits until it answers.</summary>
    /// <param name="redis">Where its sessions are, as StackExchange.Redis writes it.</param>
    /// <param name="arguments">More settings, for example <c>--Sessions:IdleTimeout=00:00:05</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<TargetAppProcess> StartAsync(string redis, string[] arguments, CancellationToken cancellationToken) =>
        StartAsync(["--Sessions:Handler=redis", $"--Sessions:Redis:Configuration={redis}", .. arguments], cancellationToken);

    /// <summary>Starts an instance and waits until it answers.</summary>
    /// <param name="settings">Where its sessions are, and whatever else: <c>--Sessions:Handler=file</c>, <c>--Sessions:File:Path=…</c></param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="wrapper">A program, and its arguments, that starts it in some special way.</param>
    public static async Task<TargetAppProcess> StartAsync(string[] settings, CancellationToken cancellationToken, params string[] wrapper) =>
        new(await AppProcess.StartAsync(App, settings, async client => await client.GetStringAsync("hello", cancellationToken) == "hello", cancellationToken, wrapper));

    /// <summary>kill -9, as a crash or an operator does it.</summary>
    public Task KillAsync() => _app.KillAsync();

    /// <summary>Sends a signal by name: STOP, CONT, TERM.</summary>
    public Task SignalAsync(string signal) => _app.SignalAsync(signal);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static string App => typeof(TargetAppProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(data => data.Key == "TargetAppPath").Value is { } path && File.Exists(path)
            ? path
            : throw new FileNotFoundException("loadtests/TargetApp is not built in this configuration.");
}
