using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>What an operator sees in the store.</summary>
public abstract class StoredFormTests : EngineTests
{
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(1);

    protected StoredFormTests(RedisServerFixture redis) : base(redis) { }

    protected StoredFormTests(GarnetFixture garnet) : base(garnet) { }

    [Fact]
    public async Task A_session_is_one_string_named_by_the_hash_of_its_id_and_expires_with_the_idle_timeout()
    {
        await using var instance = Create();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        var database = redis.GetDatabase();

        var id = await instance.Manager().CreateSessionAsync("n", 1, CancellationToken);

        var name = Prefix + Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(id.Value)));
        Assert.Equal([name], redis.GetServers()[0].Keys(pattern: Prefix + "*").Select(key => key.ToString()));
        Assert.Equal(RedisType.String, await database.KeyTypeAsync(name));
        Assert.InRange((await database.KeyTimeToLiveAsync(name))!.Value, TimeSpan.FromMinutes(20) - Slack, TimeSpan.FromMinutes(20));
    }

    [Fact]
    public async Task A_closed_record_keeps_its_two_minutes_however_often_it_is_read()
    {
        await using var instance = Create();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        var database = redis.GetDatabase();
        var id = await instance.Manager().CreateSessionAsync("n", 1, CancellationToken);
        RedisKey name = Prefix + SessionKey.From(id).Value;
        var session = await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken);
        session.Destroy();
        await session.CommitAsync(CancellationToken);
        Assert.InRange((await database.KeyTimeToLiveAsync(name))!.Value, TimeSpan.FromMinutes(2) - Slack, TimeSpan.FromMinutes(2));

        for (var i = 0; i < 5; i++)
        {
            Assert.True((await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken)).IsNew);
            // Nobody waits for the command that takes the reading's twenty minutes back.
            await Poll.UntilAsync(
                async () => await database.KeyTimeToLiveAsync(name) <= TimeSpan.FromMinutes(2), Patience, "the deadline is short again", CancellationToken);
        }

        Assert.Equal(SessionState.Ended, RecordFormat.Read((byte[])(await database.StringGetAsync(name))!).State);
    }

    [Fact]
    public async Task Prefixes_keep_two_applications_on_one_server_apart()
    {
        await using var one = Create();
        await using var other = Instance.Create(Configuration, options => options.KeyPrefix = Prefix + "other:");
        var key = SessionKey.From(SessionId.New());
        await one.Handler().CommitAsync(key, SessionVersion.None, Instance.Record(1), TimeSpan.FromMinutes(1), CancellationToken);

        Assert.Null(await other.Handler().ReadAsync(key, TimeSpan.FromMinutes(1), CancellationToken));
        Assert.False(await other.Handler().DeleteAsync(key, CancellationToken));
        Assert.NotNull(await one.Handler().ReadAsync(key, TimeSpan.FromMinutes(1), CancellationToken));
    }

    protected ServiceProvider Create() => Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
}

public sealed class RedisStoredFormTests(RedisServerFixture redis) : StoredFormTests(redis)
{
    // On Redis only: Garnet keeps strings and lists of one name side by side.
    [Fact]
    public async Task Something_else_under_the_key_is_a_failure_of_the_store_and_stays()
    {
        await using var instance = Create();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        var database = redis.GetDatabase();
        var key = SessionKey.From(SessionId.New());
        await database.ListRightPushAsync(Prefix + key.Value, "not a string");

        await Assert.ThrowsAsync<SessionStoreException>(
            async () => await instance.Handler().ReadAsync(key, TimeSpan.FromMinutes(1), CancellationToken));
        foreach (var expected in (SessionVersion[])[SessionVersion.None, new(1)])
        {
            await Assert.ThrowsAsync<SessionStoreException>(
                async () => await instance.Handler().CommitAsync(key, expected, Instance.Record(2), TimeSpan.FromMinutes(1), CancellationToken));
        }

        Assert.Equal("not a string", await database.ListGetByIndexAsync(Prefix + key.Value, 0));
    }
}

public sealed class GarnetStoredFormTests(GarnetFixture garnet) : StoredFormTests(garnet);
