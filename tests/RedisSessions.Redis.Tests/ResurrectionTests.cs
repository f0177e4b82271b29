using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>A commit that is still in the network when its session ends does not bring it back.</summary>
public abstract class ResurrectionTests : EngineTests
{
    protected ResurrectionTests(RedisServerFixture redis) : base(redis) { }

    protected ResurrectionTests(GarnetFixture garnet) : base(garnet) { }

    [Theory]
    [InlineData("destroy")]
    [InlineData("login")]
    [InlineData("delete")]
    [InlineData("expiry")]
    public async Task A_commit_that_arrives_after_the_end_changes_nothing(string end)
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var slow = Instance.Create(proxy.Configuration, options => (options.KeyPrefix, options.Tries) = (Prefix, 1));
        await using var other = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        var database = redis.GetDatabase();
        var id = await other.Manager().CreateSessionAsync("n", 1, CancellationToken);
        RedisKey name = Prefix + SessionKey.From(id).Value;

        // The caller is told that its commit failed, and the commit is on its way all the same.
        var session = await slow.Manager().LoadAsync(id, cancellationToken: CancellationToken);
        var released = new TaskCompletionSource();
        proxy.Policy = command => command.IsScript ? Fault.ArriveLate(released.Task) : Fault.None;
        session.Increment("n");
        await Assert.ThrowsAsync<SessionStoreException>(async () => await session.CommitAsync(CancellationToken));

        await EndAsync(end, other.Manager(), id, database, name);
        var before = await database.StringGetAsync(name);
        released.SetResult();
        await Poll.UntilAsync(() => proxy.LateAnswers == 1, Patience, "the server has answered the late commit", CancellationToken);

        Assert.Equal(before, await database.StringGetAsync(name));
        Assert.True((await other.Manager().LoadAsync(id, cancellationToken: CancellationToken)).IsNew);
    }

    [Fact]
    public async Task Without_an_end_the_late_commit_is_stored_so_it_really_was_on_its_way()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var slow = Instance.Create(proxy.Configuration, options => (options.KeyPrefix, options.Tries) = (Prefix, 1));
        await using var other = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        var id = await other.Manager().CreateSessionAsync("n", 1, CancellationToken);
        var session = await slow.Manager().LoadAsync(id, cancellationToken: CancellationToken);
        var released = new TaskCompletionSource();
        proxy.Policy = command => command.IsScript ? Fault.ArriveLate(released.Task) : Fault.None;
        session.Increment("n");
        await Assert.ThrowsAsync<SessionStoreException>(async () => await session.CommitAsync(CancellationToken));
        Assert.Equal(1, await other.Manager().CountAsync(id, "n", CancellationToken));

        released.SetResult();
        await Poll.UntilAsync(() => proxy.LateAnswers == 1, Patience, "the server has answered the late commit", CancellationToken);

        Assert.Equal(2, await other.Manager().CountAsync(id, "n", CancellationToken));
    }

    private static async Task EndAsync(string end, SessionManager manager, SessionId id, IDatabase database, RedisKey name)
    {
        if (end is "delete" or "expiry")
        {
            // As expiry or an operator does it: nothing is left, not even a closed record.
            Assert.True(end == "delete" ? await database.KeyDeleteAsync(name) : await database.KeyExpireAsync(name, TimeSpan.Zero));
            return;
        }

        var session = await manager.LoadAsync(id, cancellationToken: CancellationToken);
        if (end == "destroy")
            session.Destroy(expireCookie: true);
        else
            session.RegenerateId(deleteOld: true);
        await session.CommitAsync(CancellationToken);
    }
}

public sealed class RedisResurrectionTests(RedisServerFixture redis) : ResurrectionTests(redis);

public sealed class GarnetResurrectionTests(GarnetFixture garnet) : ResurrectionTests(garnet);
