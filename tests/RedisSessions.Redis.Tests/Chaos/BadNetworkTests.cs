using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;

namespace RedisSessions.Redis.Tests.Chaos;

/// <summary>Connections that are silent, slow, half closed or late: requests fail in time, and go on by themselves when the network does.</summary>
public sealed class BadNetworkTests(RedisServerFixture redis) : EngineTests(redis)
{
    private const int Sessions = 8;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1), TryTimeout = TimeSpan.FromMilliseconds(400);

    // A read and a commit; and a second for a busy machine.
    private static readonly TimeSpan InTime = Timeout * 2 + TimeSpan.FromSeconds(1);

    public static TheoryData<string> Networks => ["silent", "half closed", "throttled", "dripping"];

    [Theory]
    [MemberData(nameof(Networks))]
    public async Task Requests_fail_in_time_and_go_on_by_themselves(string network)
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Create(proxy);
        await using var direct = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        await instance.WarmUpAsync(CancellationToken);
        var ids = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(_ => direct.Manager().CreateSessionAsync("n", 0, CancellationToken)));
        var history = new SessionHistory();
        await PushAllAsync();
        Assert.Equal(0, history.Count(Outcome.Unknown));

        Worsen(proxy, network);
        var slowest = TimeSpan.Zero;
        for (var round = 0; round < 2; round++)
            slowest = await PushAllAsync() is var elapsed && elapsed > slowest ? elapsed : slowest;
        var failures = history.Count(Outcome.Unknown);
        (proxy.IsSilent, proxy.BytesPerSecond, proxy.Policy) = (false, null, static _ => Fault.None);

        var healed = Stopwatch.GetTimestamp();
        await Poll.UntilAsync(
            async () => await history.PushAsync(instance.Manager(), "s0", ids[0]) == Outcome.Acknowledged, Patience, "a request succeeds", CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"MEASURED {network}: {failures} of {2 * Sessions} failed, the slowest round took {slowest.TotalSeconds:F1} s, back after {Stopwatch.GetElapsedTime(healed).TotalSeconds:F2} s");
        Assert.True(failures > 0, "Nothing failed: this network was not bad.");
        Assert.InRange(slowest, TimeSpan.Zero, InTime);
        await PushAllAsync();
        for (var i = 0; i < Sessions; i++)
            await history.LookAsync(direct.Manager(), $"s{i}", ids[i]);
        history.Verify();

        async Task<TimeSpan> PushAllAsync()
        {
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(ids.Select((id, i) => history.PushAsync(instance.Manager(), $"s{i}", id)));
            return Stopwatch.GetElapsedTime(started);
        }
    }

    [Fact]
    public async Task A_slow_network_is_slow_and_nothing_worse()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Create(proxy);
        await using var direct = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        await instance.WarmUpAsync(CancellationToken);
        var history = new SessionHistory();
        var id = await direct.Manager().CreateSessionAsync("n", 0, CancellationToken);
        (proxy.Latency, proxy.Jitter) = (TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(20));
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < 10; i++)
            Assert.Equal(Outcome.Acknowledged, await history.PushAsync(instance.Manager(), "s", id));

        // Two round trips of two times at least 20 ms.
        Assert.True(Stopwatch.GetElapsedTime(started) > TimeSpan.FromMilliseconds(10 * 2 * 2 * 19), "the network was not slow");
        await history.LookAsync(direct.Manager(), "s", id);
        history.Verify();
    }

    private static void Worsen(FaultProxy proxy, string network)
    {
        switch (network)
        {
            case "silent":
                proxy.IsSilent = true;
                break;
            case "throttled":
                proxy.BytesPerSecond = 100;
                break;
            case "half closed":
                proxy.Policy = static command => command.Name is "GETEX" || command.IsScript ? Fault.HalfClose : Fault.None;
                break;
            default:
                // A second and a half for a record, and for all that waits behind it.
                proxy.Policy = static command => command.Name is "GETEX" && command.Number % 8 == 0 ? Fault.DripReply(10, TimeSpan.FromMilliseconds(100)) : Fault.None;
                break;
        }
    }

    private ServiceProvider Create(FaultProxy proxy) => Instance.Create(
        proxy.Configuration,
        options => (options.KeyPrefix, options.Timeout, options.TryTimeout, options.SelfTest) = (Prefix, Timeout, TryTimeout, false));
}
