using System.Globalization;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>One Redis of our own, and a proxy in front of it for each process.</summary>
internal sealed class RedisEnvironment : HttpEnvironment
{
    private readonly RedisProcess _redis;
    private readonly FaultProxy[] _proxies;
    private readonly bool _full;

    private RedisEnvironment(RedisProcess redis, int processes, bool full)
    {
        (_redis, _full) = (redis, full);
        _proxies = [.. Enumerable.Range(0, processes).Select(_ => FaultProxy.Start(redis.Configuration))];
    }

    public override IReadOnlyList<FaultProxy> Proxies => _proxies;

    public RedisProcess Redis => _redis;

    public override IReadOnlyList<HttpFault> Faults =>
    [
        new StopStore(_redis.StopAsync, _redis.ContinueAsync),
        new RedisCommand(_redis, "SCRIPT", "FLUSH"),
        new RedisCommand(_redis, "CLIENT", "KILL", "TYPE", "normal"),
        new RedisCommand(_redis, "CLIENT", "KILL", "TYPE", "pubsub"),
        .. (HttpFault[])(_full ? [new FullMemory(_redis)] : []),
    ];

    /// <summary>Starts it; null when there is no redis-server.</summary>
    public static async Task<HttpEnvironment?> TryStartAsync(
        EnvironmentPlan plan, int processes, bool full, CancellationToken cancellationToken) =>
        await RedisProcess.TryStartAsync([], cancellationToken) is { } redis
            ? new RedisEnvironment(redis, processes, full) { Name = plan.Name, Rules = plan.Rules, Extra = plan.Extra }
            : null;

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        await base.HealAsync(cancellationToken);
        await _redis.ContinueAsync();
        await FullMemory.MakeRoomAsync(_redis, cancellationToken);
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies)
            await proxy.DisposeAsync();
        await _redis.DisposeAsync();
    }

    protected override IReadOnlyList<string> StoreSettings(int process) => ForRedis(_proxies[process].Configuration);

    /// <summary>Arguments for sessions in a Redis.</summary>
    public static IReadOnlyList<string> ForRedis(string configuration) =>
    [
        "--Sessions:Handler=redis", $"--Sessions:Redis:Configuration={configuration}",
        "--Sessions:Redis:TryTimeout=00:00:00.500", "--Sessions:Redis:Breaker:BreakDuration=00:00:00.500",
        string.Create(CultureInfo.InvariantCulture, $"--Sessions:Redis:Breaker:MinimumThroughput={200}"),
    ];
}
