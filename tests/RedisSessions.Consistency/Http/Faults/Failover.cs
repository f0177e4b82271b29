using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Faults;

/// <summary>A primary dies, and a replica takes over. Once in a run: the old primary does not come back.</summary>
/// <param name="servers">The primary first.</param>
/// <param name="promotedAsync">Makes a replica the primary, or waits until it is.</param>
/// <param name="rollsBack">Whether the replicas stop before, and the primary goes on alone: what it acknowledges then is lost.</param>
internal sealed class Failover(IReadOnlyList<RedisProcess> servers, Func<Task> promotedAsync, bool rollsBack) : HttpFault
{
    private bool _done;

    public override string Name => rollsBack ? "rollback-failover" : "failover";

    public override bool IsPossible => !_done;

    public override async Task RunAsync(FaultContext context)
    {
        _done = true;
        if (rollsBack)
            await GoOnAloneAsync(servers[0], context);
        else
            await EndAsync(servers[0], context);
        await promotedAsync();
        context.Note("a replica is the primary");
    }

    private async Task GoOnAloneAsync(RedisProcess primary, FaultContext context)
    {
        var replicas = servers.Skip(1).ToArray();
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
            await EndAsync(primary, context);
            foreach (var replica in replicas)
                await replica.ContinueAsync();
        }
    }

    /// <summary>Nothing is acknowledged until a replica takes over: what was before may be lost, what follows may not.</summary>
    private static async Task EndAsync(RedisProcess primary, FaultContext context)
    {
        await primary.KillAsync();
        context.Note("rollback: the primary is killed");
    }
}
