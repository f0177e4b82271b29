using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Faults;

/// <summary>A primary dies, and a replica takes over. Once in a run: the old primary does not come back.</summary>
/// <param name="redis">The servers and their sentinels.</param>
/// <param name="rollsBack">Whether the replicas stop before, and the primary goes on alone: what it acknowledges then is lost.</param>
internal sealed class Failover(RedisSentinels redis, bool rollsBack) : HttpFault
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private bool _done;

    public override string Name => rollsBack ? "rollback-failover" : "failover";

    public override bool IsPossible => !_done;

    public override async Task RunAsync(FaultContext context)
    {
        _done = true;
        var primary = redis.Servers[0];
        if (rollsBack)
            await GoOnAloneAsync(primary, context);
        else
            await primary.KillAsync();
        context.Note("outage: the primary is killed");
        await Poll.UntilAsync(
            async () => await redis.PrimaryPortAsync(CancellationToken.None) != primary.Port, Patience, "a replica is the primary", CancellationToken.None);
        // What was acknowledged until here may be lost.
        context.Note(rollsBack ? "rollback" : "a replica is the primary");
    }

    private async Task GoOnAloneAsync(RedisProcess primary, FaultContext context)
    {
        var replicas = redis.Servers.Skip(1).ToArray();
        foreach (var replica in replicas)
            await replica.StopAsync();
        try
        {
            // What the kernel holds for the replicas they would still read later.
            await primary.AskAsync(["CLIENT", "KILL", "TYPE", "replica"], CancellationToken.None);
            context.Note("the replicas are stopped");
            await context.PauseAsync(300, 1000);
        }
        finally
        {
            await primary.KillAsync();
            foreach (var replica in replicas)
                await replica.ContinueAsync();
        }
    }
}
