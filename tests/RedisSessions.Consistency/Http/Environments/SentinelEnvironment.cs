using RedisSessions.Consistency.Http.Faults;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>
/// A primary, two replicas and three sentinels. One failover in a run, with a roll-back: what the replicas had not got is lost.
/// </summary>
internal sealed class SentinelEnvironment : HttpEnvironment
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private readonly RedisSentinels _redis;
    private readonly Failover _failover;

    private SentinelEnvironment(RedisSentinels redis) =>
        (_redis, _failover) = (redis, new Failover(redis.Servers, PromotedAsync, rollsBack: true));

    public override IReadOnlyList<HttpFault> Faults => [_failover];

    /// <summary>Starts it; null when there is no redis-server or redis-cli.</summary>
    public static async Task<HttpEnvironment?> TryStartAsync(EnvironmentPlan plan, CancellationToken cancellationToken) =>
        await RedisSentinels.TryStartAsync([], cancellationToken) is { } redis
            ? new SentinelEnvironment(redis) { Name = plan.Name, Rules = plan.Rules, Extra = plan.Extra }
            : null;

    public override ValueTask DisposeAsync() => _redis.DisposeAsync();

    protected override IReadOnlyList<string> StoreSettings(int process) => RedisEnvironment.ForRedis(_redis.Configuration);

    private Task PromotedAsync() => Poll.UntilAsync(
        async () => await _redis.PrimaryPortAsync(CancellationToken.None) != _redis.Servers[0].Port,
        Patience, "a replica is the primary", CancellationToken.None);
}
