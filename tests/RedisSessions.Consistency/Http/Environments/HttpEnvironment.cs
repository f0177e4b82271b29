using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>Where the processes of a run keep sessions, how they are configured, and what can go wrong there.</summary>
internal abstract class HttpEnvironment : IAsyncDisposable
{
    /// <summary>The name on the command line.</summary>
    public required string Name { get; init; }

    /// <summary>What this environment allows.</summary>
    public Rules Rules { get; init; } = new();

    /// <summary>Arguments of every process besides those of the store.</summary>
    public IReadOnlyList<string> Extra { get; init; } = [];

    /// <summary>Between a process and its store, by the process's number; empty when nothing is between them.</summary>
    public virtual IReadOnlyList<FaultProxy> Proxies => [];

    /// <summary>Faults that only this environment has.</summary>
    public virtual IReadOnlyList<HttpFault> Faults => [];

    /// <summary>Arguments of a process.</summary>
    public IReadOnlyList<string> Settings(int process) => [.. StoreSettings(process), .. Common, .. Extra];

    /// <summary>Ends what a fault has left behind, before the last reads.</summary>
    public virtual Task HealAsync(CancellationToken cancellationToken)
    {
        foreach (var proxy in Proxies)
            ProxyFault.Heal(proxy);
        return Task.CompletedTask;
    }

    public abstract ValueTask DisposeAsync();

    protected abstract IReadOnlyList<string> StoreSettings(int process);

    // Short enough for a run of seconds, and in the proportions of the defaults.
    private static readonly string[] Common =
        ["--Sessions:CommitTimeout=00:00:10", "--Sessions:LeaseDuration=00:00:02", "--Sessions:LeaseWait=00:00:05"];
}
