using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.HighAvailability;

/// <summary>Sessions in a Redis Cluster: slots move under load, a primary dies under load.</summary>
[Collection(nameof(HighAvailability))]
public sealed class ClusterTests(ITestOutputHelper output)
{
    private const int Sessions = 60;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Slots_that_move_there_and_back_under_load_fail_nobody()
    {
        await using var cluster = await StartAsync();
        await using var instance = Instance.Create(cluster.Configuration);
        await using var load = await EngineLoad.StartAsync(instance, Sessions, clients: 8, Token);
        await load.AdvanceAsync(100, Token);
        var primaries = await RedisCluster.PrimariesAsync(cluster.Nodes[0], Token);
        var before = Where(load, instance, primaries);
        await cluster.MoveAsync(primaries[0], primaries[1], 2000, Token);
        var moved = Where(load, instance, await RedisCluster.PrimariesAsync(cluster.Nodes[0], Token));
        await cluster.MoveAsync(primaries[1], primaries[0], 2000, Token);
        await load.AdvanceAsync(100, Token);
        await load.EndAsync(instance.Manager(), Token);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"MEASURED 2,000 slots moved there and back under load, with {before.Zip(moved).Count(pair => pair.First != pair.Second)} of {Sessions} sessions: {load.History}; longest operation {load.Longest:F0} ms"));
        Assert.NotEqual<int>(before, moved);
        Assert.Empty(load.Failed);
        load.History.Verify();
    }

    [Fact]
    public async Task A_primary_that_dies_takes_only_its_slots_away_and_only_until_its_replica_has_them()
    {
        await using var cluster = await StartAsync();
        await using var instance = Instance.Create(cluster.Configuration);
        await using var load = await EngineLoad.StartAsync(instance, Sessions, clients: 8, Token);
        await load.AdvanceAsync(300, Token);
        var primaries = await RedisCluster.PrimariesAsync(cluster.Nodes[0], Token);
        var where = Where(load, instance, primaries);
        var victim = primaries[1];
        var asked = cluster[primaries[0]];

        var killed = Stopwatch.GetTimestamp();
        await cluster[victim].KillAsync();
        await Poll.UntilAsync(
            async () => await RedisCluster.PrimariesAsync(asked, Token) is { Count: 3 } now && now.All(primary => primary.Port != victim.Port), Patience, "a replica serves the slots of the dead primary", Token);
        var promoted = Stopwatch.GetTimestamp();
        var normal = await load.RecoverAsync(promoted, Patience, Token);
        await load.AdvanceAsync(200, Token);
        await load.EndAsync(instance.Manager(), Token);

        var failed = load.Failed;
        var elsewhere = failed.Count(operation => where[operation.Session] != victim.Port);
        var lost = load.History.Violations();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"MEASURED a primary of the cluster killed: its replica had its slots after {Stopwatch.GetElapsedTime(killed, promoted).TotalSeconds:F2} s, the last of {failed.Count} failures came {Stopwatch.GetElapsedTime(promoted, normal).TotalSeconds:F2} s after that; failures of sessions of other primaries: {elsewhere}; longest operation {load.Longest:F0} ms; acknowledged and lost: {lost.Count}; {load.History}"));
        Assert.Equal(0, elsewhere);
        Assert.DoesNotContain(lost, violation => violation.Contains("applied twice", StringComparison.Ordinal) || violation.Contains("refused", StringComparison.Ordinal));
        Assert.All(failed, operation => Assert.NotEqual("logged out", operation.Error));
    }

    private static async Task<RedisCluster> StartAsync()
    {
        var cluster = await RedisCluster.TryStartAsync([], Token);
        if (cluster is null)
            Assert.Skip(RedisServer.None);
        return cluster;
    }

    /// <summary>For each session the port of the primary that has it.</summary>
    private static int[] Where(EngineLoad load, ServiceProvider instance, IReadOnlyList<ClusterLine> primaries)
    {
        var prefix = instance.GetRequiredService<IOptions<RedisHandlerOptions>>().Value.KeyPrefix;
        return [.. Enumerable.Range(0, Sessions).Select(session =>
            primaries.Single(primary => primary.Serves(ClusterSlot.Of(prefix + load.KeyOf(session).Value))).Port)];
    }
}
