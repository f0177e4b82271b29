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
        await context.PauseAsync(20, 600);
        await ReturnAsync(redis, CancellationToken.None);
        // Afterwards: what was acknowledged until here may be lost, and nothing that is acknowledged from here on.
        context.Note("rollback");
    }

    /// <summary>Keeps what is stored now.</summary>
    public static Task RememberAsync(RedisProcess redis, CancellationToken cancellationToken) =>
        redis.AskAsync(["SAVE"], cancellationToken);

    /// <summary>Goes back to it. Needs <c>enable-debug-command</c>.</summary>
    public static Task ReturnAsync(RedisProcess redis, CancellationToken cancellationToken) =>
        redis.AskAsync(["DEBUG", "RELOAD", "NOSAVE"], cancellationToken);
}
