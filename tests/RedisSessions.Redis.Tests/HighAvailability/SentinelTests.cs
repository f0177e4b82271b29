using System.Diagnostics;
using System.Globalization;
using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;

namespace RedisSessions.Redis.Tests.HighAvailability;

/// <summary>A primary dies under load, and the sentinels make a replica the primary.</summary>
[Collection(nameof(HighAvailability))]
public sealed class SentinelTests(ITestOutputHelper output)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_failover_everything_is_as_before_within_moments_and_nothing_is_applied_twice()
    {
        await using var redis = await StartAsync([]);
        await using var instance = Instance.Create(redis.Configuration);
        await using var load = await EngineLoad.StartAsync(instance, sessions: 20, clients: 8, Token);
        await load.AdvanceAsync(300, Token);

        var killed = Stopwatch.GetTimestamp();
        await redis.Servers[0].KillAsync();
        await Poll.UntilAsync(async () => await redis.PrimaryPortAsync(Token) != redis.Servers[0].Port, TimeSpan.FromSeconds(30), "another is the primary", Token);
        var promoted = Stopwatch.GetTimestamp();
        var normal = await load.RecoverAsync(promoted, TimeSpan.FromSeconds(30), Token);
        await load.AdvanceAsync(300, Token);
        await load.EndAsync(instance.Manager(), Token);

        var failed = load.Failed;
        var lost = load.History.Violations();
        Say($"Sentinel failover: promoted {Seconds(killed, promoted)} s after the kill; {failed.Count} operations failed, the last one {Seconds(promoted, normal)} s after the promotion; "
            + string.Create(CultureInfo.InvariantCulture, $"the longest took {load.Longest:F0} ms; {load.History}; acknowledged and lost: {lost.Count}"));
        // A write that the replicas had not got yet is lost with the primary: what was acknowledged in the last moment before the kill, and nothing else.
        Assert.All(lost, violation => Assert.StartsWith("session", violation, StringComparison.Ordinal));
        Assert.DoesNotContain(lost, violation => violation.Contains("applied twice", StringComparison.Ordinal) || violation.Contains("refused", StringComparison.Ordinal));
        Assert.All(failed, operation => Assert.NotEqual("logged out", operation.Error));
    }

    /// <param name="minReplicas">How many replicas a commit waits for.</param>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task What_is_lost_with_a_primary_whose_replicas_hang(int minReplicas)
    {
        await using var redis = await StartAsync([]);
        await using var instance = Instance.Create(redis.Configuration, options => options.MinReplicas = minReplicas);
        await using var load = await EngineLoad.StartAsync(instance, sessions: 20, clients: 8, Token);
        await load.AdvanceAsync(200, Token);

        // Both replicas hang for a while in which the primary goes on; then it dies, and one of them takes over.
        foreach (var replica in redis.Servers.Skip(1))
            await replica.StopAsync();
        // What the kernel holds for them they would still read later; from here on there is nothing more to read.
        await redis.Servers[0].AskAsync(["CLIENT", "KILL", "TYPE", "replica"], Token);
        var acknowledged = load.History.Count(Outcome.Acknowledged);
        await Task.Delay(TimeSpan.FromSeconds(1), Token);
        await redis.Servers[0].KillAsync();
        var alone = load.History.Count(Outcome.Acknowledged) - acknowledged;
        foreach (var replica in redis.Servers.Skip(1))
            await replica.ContinueAsync();
        await Poll.UntilAsync(async () => await redis.PrimaryPortAsync(Token) != redis.Servers[0].Port, TimeSpan.FromSeconds(40), "another is the primary", Token);
        await load.RecoverAsync(Stopwatch.GetTimestamp(), TimeSpan.FromSeconds(30), Token);
        await load.EndAsync(instance.Manager(), Token);

        var lost = load.History.Violations().Count(violation => violation.Contains("acknowledged and lost", StringComparison.Ordinal));
        Say($"Replicas hang for 1 s, then the primary dies, MinReplicas {minReplicas}: {alone} commits acknowledged meanwhile, acknowledged and lost: {lost}; {load.History}");
        if (minReplicas > 0)
            Assert.Empty(load.History.Violations());
        else
            Assert.True(lost > 0, "nothing was lost: then this test proves nothing about MinReplicas.");
    }

    private static async Task<RedisSentinels> StartAsync(string[] settings)
    {
        var redis = await RedisSentinels.TryStartAsync(settings, Token);
        if (redis is null)
            Assert.Skip(RedisServer.None);
        return redis;
    }

    private static string Seconds(long from, long to) => (Stopwatch.GetElapsedTime(from, to).TotalSeconds).ToString("F2", CultureInfo.InvariantCulture);

    private void Say(string what) => output.WriteLine("MEASURED " + what);
}

/// <summary>Many processes and a clock that counts: not beside each other.</summary>
[CollectionDefinition(nameof(HighAvailability), DisableParallelization = true)]
public sealed class HighAvailability;
