using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Faults;

/// <summary>
/// The store becomes what it was a moment ago, at once and for all: what a failover to a replica that was behind does, without the
/// failover. Connections stay.
/// </summary>
internal sealed class RollBack(RedisProcess redis) : HttpFault
{
    public override string Name => "rollback";

    public override async Task RunAsync(FaultContext context)
    {
        await RememberAsync(redis, CancellationToken.None);
        // Few commits: the judge looks for a prefix of the last ones.
        await context.PauseAsync(5, 60);
        // Nothing is acknowledged while the network is silent: what was before may be lost, and nothing that is acknowledged afterwards.
        foreach (var proxy in context.Environment.Proxies)
            proxy.IsSilent = true;
        try
        {
            await ReturnAsync(redis, CancellationToken.None);
            context.Note("rollback");
        }
        finally
        {
            foreach (var proxy in context.Environment.Proxies)
                proxy.IsSilent = false;
        }
    }

    /// <summary>Keeps what is stored now.</summary>
    public static Task RememberAsync(RedisProcess redis, CancellationToken cancellationToken) =>
        redis.AskAsync(["SAVE"], cancellationToken);

    /// <summary>Goes back to it. Needs <c>enable-debug-command</c>.</summary>
    public static Task ReturnAsync(RedisProcess redis, CancellationToken cancellationToken) =>
        redis.AskAsync(["DEBUG", "RELOAD", "NOSAVE"], cancellationToken);
}
