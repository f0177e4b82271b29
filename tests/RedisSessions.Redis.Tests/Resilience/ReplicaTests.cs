using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Resilience;

/// <summary>A primary and its replica: commits that wait for it, and the two changing places.</summary>
public sealed class ReplicaTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly SessionKey _key = SessionKey.From(SessionId.New());

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_commit_that_the_replica_has_counts_and_one_that_it_has_not_is_stored_with_its_outcome_unknown()
    {
        await using var primary = await StartAsync();
        await using var replica = await StartAsync("--replicaof", $"127.0.0.1 {primary.Port}");
        await LinkedAsync(primary);
        await using var instance = Instance.Create(primary.Configuration, Patient);
        await using var copy = await ConnectionMultiplexer.ConnectAsync(replica.Configuration);
        for (ulong version = 0; version < 20; version++)
        {
            await CommitAsync(instance, version);
            // At once, without any waiting: that is what it is for.
            var there = await copy.GetDatabase().StringGetAsync("session:" + _key.Value, CommandFlags.PreferReplica);
            Assert.Equal(version + 1, RecordFormat.Read((byte[])there!).Version.Count);
        }

        await replica.StopAsync();
        var failures = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Record.ExceptionAsync(
            () => instance.Handler().CommitAsync(SessionKey.From(SessionId.New()), SessionVersion.None, Instance.Record(1), Patience, CancellationToken).AsTask()).AsTask()));
        Assert.All(failures, failure =>
        {
            var store = Assert.IsType<SessionStoreException>(failure);
            Assert.Equal("commit", store.Verb);
            Assert.Contains("0 of 1 replicas", store.Message, StringComparison.Ordinal);
            Assert.Contains("unknown", store.Message, StringComparison.Ordinal);
        });
        await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(instance, 20));
        Assert.Equal(21UL, (await ReadAsync(instance))!.Version.Count);

        await replica.ContinueAsync();
        await Poll.UntilAsync(
            async () => await Record.ExceptionAsync(async () => await CommitAsync(instance, (await ReadAsync(instance))!.Version.Count)) is null,
            Patience, "commits count again", CancellationToken);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_waits_for_the_replica_too()
    {
        await using var primary = await StartAsync();
        await using var replica = await StartAsync("--replicaof", $"127.0.0.1 {primary.Port}");
        await LinkedAsync(primary);
        await using var proxy = FaultProxy.Start(primary.Configuration);
        await using var instance = Instance.Create(proxy.Configuration, Patient);
        await CommitAsync(instance, 0);
        await replica.StopAsync();
        var before = proxy.Count("EVAL");
        proxy.Policy = command => command.IsScript && command.Number == before + 1 ? Fault.CutReply : Fault.None;

        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(instance, 1));

        Assert.Contains("0 of 1 replicas", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, proxy.Faults);
        await replica.ContinueAsync();
    }

    [Fact]
    public async Task A_commit_counts_though_the_client_has_lost_its_connection_to_the_replica_meanwhile()
    {
        await using var primary = await StartAsync();
        await using var replica = await StartAsync("--replicaof", $"127.0.0.1 {primary.Port}");
        await LinkedAsync(primary);
        await using var proxy = FaultProxy.Start(replica.Configuration);
        await using var instance = Instance.Create($"{primary.Configuration},{proxy.Configuration}", options =>
        {
            Patient(options);
            options.ReplicaTimeout = options.TryTimeout / 2;
        });
        await CommitAsync(instance, 0);
        // It waits for the replica, and who else is connected to that is not its business.
        await replica.StopAsync();
        var committing = CommitAsync(instance, 1);
        var before = proxy.Count("CLIENT");
        proxy.DropConnections();
        await Poll.UntilAsync(() => Task.FromResult(proxy.Count("CLIENT") > before), Patience, "the client has noticed the loss", CancellationToken);
        Assert.False(committing.IsCompleted);
        await replica.ContinueAsync();

        await committing;
    }

    [Fact]
    public async Task When_two_servers_change_places_the_client_finds_the_primary_within_the_time_of_a_call()
    {
        await using var one = await StartAsync();
        await using var two = await StartAsync("--replicaof", $"127.0.0.1 {one.Port}");
        await LinkedAsync(one);
        await using var instance = Instance.Create($"{one.Configuration},{two.Configuration}", options => options.Timeout = TimeSpan.FromSeconds(5));
        await CommitAsync(instance, 0);
        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{one.Configuration},{two.Configuration},allowAdmin=true");
        await Poll.UntilAsync(
            async () => await admin.GetDatabase().KeyExistsAsync("session:" + _key.Value, CommandFlags.DemandReplica), Patience, "the replica has the session", CancellationToken);

        await admin.GetServer(two.Configuration).ExecuteAsync("REPLICAOF", "NO", "ONE");
        await admin.GetServer(one.Configuration).ExecuteAsync("REPLICAOF", "127.0.0.1", two.Port.ToString(CultureInfo.InvariantCulture));

        await CommitAsync(instance, 1);
        Assert.Equal(2UL, (await ReadAsync(instance))!.Version.Count);
        await using var direct = await ConnectionMultiplexer.ConnectAsync(two.Configuration);
        Assert.Equal(2UL, RecordFormat.Read((byte[])(await direct.GetDatabase().StringGetAsync("session:" + _key.Value))!).Version.Count);
    }

    /// <summary>Long enough for a replica that has just begun and shares two cores with everything else.</summary>
    private static void Patient(RedisHandlerOptions options) =>
        (options.MinReplicas, options.ReplicaTimeout, options.TryTimeout, options.Timeout) = (1, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30));

    private static Task LinkedAsync(RedisProcess primary) => Poll.UntilAsync(
        async () =>
        {
            await using var admin = await ConnectionMultiplexer.ConnectAsync($"{primary.Configuration},allowAdmin=true");
            return (await admin.GetServers()[0].InfoRawAsync("replication"))!.Contains("state=online", StringComparison.Ordinal);
        }, Patience, "the replica is linked", CancellationToken);

    private static async Task<RedisProcess> StartAsync(params string[] settings)
    {
        var redis = await RedisProcess.TryStartAsync(["--repl-diskless-sync-delay", "0", .. settings], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: replicas are servers of our own");
        return redis!;
    }

    private async Task CommitAsync(ServiceProvider instance, ulong expected) => Assert.IsNotType<CommitResult.Gone>(
        await instance.Handler().CommitAsync(_key, new SessionVersion(expected), Instance.Record(expected + 1), TimeSpan.FromMinutes(5), CancellationToken));

    private async Task<SessionRecord?> ReadAsync(ServiceProvider instance) =>
        await instance.Handler().ReadAsync(_key, TimeSpan.FromMinutes(5), CancellationToken);
}
