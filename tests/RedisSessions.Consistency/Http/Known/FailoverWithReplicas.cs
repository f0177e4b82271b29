using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Http.Faults;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>Browsers go on while a primary dies and a replica takes over, and each commit waits for a replica.</summary>
internal static class FailoverWithReplicas
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(12);

    public static async Task<IReadOnlyList<Finding>?> FindAsync(int seed, CancellationToken cancellationToken) =>
        await RunAsync(seed, cancellationToken) is { } history ? Judge.Check(history) : null;

    /// <summary>The history alone.</summary>
    public static Task<RunHistory?> RunAsync(int seed, CancellationToken cancellationToken) =>
        HttpRun.RunAsync(
            new HttpPlan(EnvironmentCatalog.Find("sentinel-replicas")!, seed, Length)
            {
                // Many are on their way when the replica has taken over and the clients do not know it yet.
                Browsers = 6,
                Parallel = 6,
                Faults = static environment => [new Failover(((SentinelEnvironment)environment).Redis, rollsBack: false)],
            },
            cancellationToken);
}
