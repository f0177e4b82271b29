using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>What leases are in Redis, and what lost answers and lost connections do to them.</summary>
public abstract class LeaseTests : EngineTests
{
    private readonly SessionKey _key = SessionKey.From(SessionId.New());
    private readonly SessionLease _mine = new("mine0123", TimeSpan.FromSeconds(60));
    private readonly SessionLease _theirs = new("theirs0123", TimeSpan.FromSeconds(60));

    protected LeaseTests(RedisServerFixture redis) : base(redis) { }

    protected LeaseTests(GarnetFixture garnet) : base(garnet) { }

    [Fact]
    public async Task A_lease_is_a_string_with_its_owner_that_ends_by_itself_and_a_message_when_it_is_given_back()
    {
        await using var instance = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        var (database, name) = (redis.GetDatabase(), (RedisKey)$"{Prefix}lease:{_key.Value}");
        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(Prefix + "released"), (_, message) => heard.TrySetResult(message.ToString()));

        Assert.Null(await Leases(instance).TryAcquireAsync(_key, _mine, CancellationToken));
        Assert.Equal([name.ToString()], redis.GetServers()[0].Keys(pattern: Prefix + "*").Select(key => key.ToString()));
        Assert.Equal(_mine.Owner, await database.StringGetAsync(name));
        Assert.InRange((await database.KeyTimeToLiveAsync(name))!.Value, TimeSpan.FromSeconds(30), _mine.Duration);

        await Leases(instance).ReleaseAsync(_key, _mine, CancellationToken);
        Assert.False(await database.KeyExistsAsync(name));
        Assert.Equal(_key.Value, await heard.Task.WaitAsync(Patience, CancellationToken));
    }

    [Fact]
    public async Task When_answers_are_lost_a_lease_is_still_taken_kept_and_given_back_once_and_whoever_waits_is_woken()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Instance.Create(proxy.Configuration, options => options.KeyPrefix = Prefix);
        await using var other = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        await instance.WarmUpAsync(CancellationToken);
        var woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watch = await Leases(other).WatchAsync(_key, () => woken.TrySetResult(), CancellationToken);

        LoseNextScriptAnswer(proxy);
        Assert.Null(await Leases(instance).TryAcquireAsync(_key, _mine, CancellationToken));
        Assert.NotNull(await Leases(other).TryAcquireAsync(_key, _theirs, CancellationToken));
        LoseNextScriptAnswer(proxy);
        Assert.True(await Leases(instance).RenewAsync(_key, _mine, CancellationToken));
        LoseNextScriptAnswer(proxy);
        await Leases(instance).ReleaseAsync(_key, _mine, CancellationToken);

        Assert.Equal(3, proxy.Faults);
        await woken.Task.WaitAsync(Patience, CancellationToken);
        Assert.Null(await Leases(other).TryAcquireAsync(_key, _theirs, CancellationToken));
        await Leases(instance).ReleaseAsync(_key, _mine, CancellationToken);
        Assert.True(await Leases(other).RenewAsync(_key, _theirs, CancellationToken));
    }

    [Fact]
    public async Task A_watch_goes_on_after_a_lost_connection()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Instance.Create(proxy.Configuration, options => options.KeyPrefix = Prefix);
        await using var other = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        await instance.WarmUpAsync(CancellationToken);
        var rings = 0;
        using var watch = await Leases(instance).WatchAsync(_key, () => Interlocked.Increment(ref rings), CancellationToken);
        proxy.DropConnections();
        await AssertWokenAsync(other, () => Volatile.Read(ref rings));
    }

    [Fact]
    public async Task A_watch_goes_on_when_the_server_refuses_the_client_that_listens_again()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Instance.Create(proxy.Configuration, options => options.KeyPrefix = Prefix);
        await using var other = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        await instance.WarmUpAsync(CancellationToken);
        var (rings, refused) = (0, 0);
        using var watch = await Leases(instance).WatchAsync(_key, () => Interlocked.Increment(ref rings), CancellationToken);
        proxy.Policy = command =>
            command.Name == "SUBSCRIBE" && command.Text.Value.Contains(Prefix, StringComparison.Ordinal) && Interlocked.Increment(ref refused) <= 3 ? Fault.Unknown : Fault.None;
        proxy.DropConnections();
        await AssertWokenAsync(other, () => Volatile.Read(ref rings));
        Assert.True(refused > 3);
    }

    [Fact]
    public async Task A_watch_that_could_not_begin_is_a_failure_of_the_store_and_the_next_one_begins()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Instance.Create(
            $"{proxy.Configuration},connectTimeout=500,asyncTimeout=500,syncTimeout=500", options => (options.KeyPrefix, options.Tries) = (Prefix, 1));
        await using var other = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        await instance.WarmUpAsync(CancellationToken);
        proxy.Policy = command => command.Name == "SUBSCRIBE" ? Fault.Refused : Fault.None;
        var failure = await Assert.ThrowsAsync<SessionStoreException>(async () => await Leases(instance).WatchAsync(_key, () => { }, CancellationToken));
        Assert.Equal(("redis", "watch"), (failure.Handler, failure.Verb));

        proxy.Policy = static _ => Fault.None;
        var rings = 0;
        IDisposable? watch = null;
        await Poll.UntilAsync(
            async () => await Record.ExceptionAsync(
                async () => watch = await Leases(instance).WatchAsync(_key, () => Interlocked.Increment(ref rings), CancellationToken)) is null,
            Patience, "a watch begins", CancellationToken);
        using (watch)
            await AssertWokenAsync(other, () => Volatile.Read(ref rings));
    }

    /// <summary>Another instance takes the lease and gives it back, until the watch hears of it: what is sent while nobody listens is lost, and may be.</summary>
    private Task AssertWokenAsync(ServiceProvider other, Func<int> rings) => Poll.UntilAsync(
        async () =>
        {
            Assert.Null(await Leases(other).TryAcquireAsync(_key, _theirs, CancellationToken));
            await Leases(other).ReleaseAsync(_key, _theirs, CancellationToken);
            return rings() > 0;
        }, Patience, "the watch hears of a lease that was given back", CancellationToken);

    private static void LoseNextScriptAnswer(FaultProxy proxy)
    {
        var lost = 0;
        proxy.Policy = command => command.IsScript && Interlocked.Exchange(ref lost, 1) == 0 ? Fault.CutReply : Fault.None;
    }

    private static ISessionLeases Leases(ServiceProvider instance) => Assert.IsAssignableFrom<ISessionLeases>(instance.Handler());
}

public sealed class RedisLeaseTests(RedisServerFixture redis) : LeaseTests(redis);

public sealed class GarnetLeaseTests(GarnetFixture garnet) : LeaseTests(garnet);
