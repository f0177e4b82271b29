using RedisSessions.Consistency.Http.Faults;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>One Redis of our own, and a proxy in front of it for each process.</summary>
internal sealed class RedisEnvironment : HttpEnvironment
{
    private readonly RedisProcess _redis;
    private readonly FaultProxy[] _proxies;
    private readonly Func<RedisProcess, HttpFault>? _special;

    private RedisEnvironment(RedisProcess redis, int processes, Func<RedisProcess, HttpFault>? special)
    {
        (_redis, _special) = (redis, special);
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
        .. (HttpFault[])(_special is null ? [] : [_special(_redis)]),
    ];

    /// <summary>Starts it; null when there is no redis-server.</summary>
    /// <param name="plan">The environment.</param>
    /// <param name="processes">How many processes use it.</param>
    /// <param name="special">A fault that only this environment has; null for none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<HttpEnvironment?> TryStartAsync(
        EnvironmentPlan plan, int processes, Func<RedisProcess, HttpFault>? special, CancellationToken cancellationToken) =>
        await RedisProcess.TryStartAsync(["--enable-debug-command", "yes"], cancellationToken) is { } redis
            ? new RedisEnvironment(redis, processes, special) { Name = plan.Name, Rules = plan.Rules, Extra = plan.Extra }
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
        // A circuit that opens at each fault would leave little to check.
        "--Sessions:Redis:Breaker:MinimumThroughput=200",
    ];
}
