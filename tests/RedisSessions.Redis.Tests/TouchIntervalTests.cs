using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>Reads that leave the deadline of a session where it is, for a while.</summary>
public abstract class TouchIntervalTests : EngineTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(20), Interval = TimeSpan.FromMinutes(5), Slack = TimeSpan.FromMinutes(1), Short = TimeSpan.FromMinutes(7);
    private readonly SessionKey _key = SessionKey.From(SessionId.New());

    protected TouchIntervalTests(RedisServerFixture redis) : base(redis) { }

    protected TouchIntervalTests(GarnetFixture garnet) : base(garnet) { }

    [Fact]
    public async Task A_process_moves_the_deadline_of_a_session_once_in_an_interval_and_each_process_does()
    {
        await using var one = Create();
        await using var other = Create();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        await CommitAsync(one, own: null);
        await AssertLeftAsync(redis, Idle + Interval);

        await ShortenAsync(redis);
        await ReadAsync(one);
        await AssertLeftAsync(redis, Idle + Interval);
        await ShortenAsync(redis);
        await ReadAsync(one);
        await AssertLeftAsync(redis, Short);
        await ReadAsync(other);
        await AssertLeftAsync(redis, Idle + Interval);
    }

    [Fact]
    public async Task Over_a_new_connection_it_is_moved_again()
    {
        await using var instance = Create();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration + ",allowAdmin=true");
        await CommitAsync(instance, own: null);
        await ReadAsync(instance);
        await ShortenAsync(redis);
        await ReadAsync(instance);
        await AssertLeftAsync(redis, Short);
        // What the last primary was told, the next one may not have heard. Those of other tests are left alone.
        var connection = instance.GetRequiredService<RedisConnection>();
        var generation = connection.Generation;
        await redis.GetServers()[0].ExecuteAsync("CLIENT", "KILL", "ID", (long)await connection.Database!.ExecuteAsync("CLIENT", "ID"));
        await Poll.UntilAsync(() => Task.FromResult(connection.IsConnected && connection.Generation > generation + 1), Patience, "a new connection", CancellationToken);
        await ReadAsync(instance);
        await AssertLeftAsync(redis, Idle + Interval);
    }

    [Fact]
    public async Task Without_an_interval_each_read_moves_it_to_the_idle_timeout()
    {
        await using var instance = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        await CommitAsync(instance, own: null);
        for (var i = 0; i < 3; i++)
        {
            await ShortenAsync(redis);
            await ReadAsync(instance);
            await AssertLeftAsync(redis, Idle);
        }
    }

    [Fact]
    public async Task A_session_with_an_idle_timeout_of_its_own_goes_by_that_at_each_read()
    {
        var own = TimeSpan.FromMinutes(10);
        await using var instance = Create();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        // Touched while it had none, so that the process would leave it where it is.
        await CommitAsync(instance, own: null);
        await ReadAsync(instance);
        await CommitAsync(instance, own, version: 2);
        await AssertLeftAsync(redis, own);
        for (var i = 0; i < 3; i++)
        {
            await ShortenAsync(redis);
            await ReadAsync(instance);
            // A second command sets it, and nobody waits for that one.
            await Poll.UntilAsync(async () => await LeftAsync(redis) is var left && left <= own && left > own - Slack, Patience, "its own idle timeout", CancellationToken);
        }
    }

    [Fact]
    public async Task The_sessions_of_a_user_are_listed_with_the_deadline_that_the_idle_timeout_asks_for()
    {
        await using var instance = Create();
        await CommitAsync(instance, own: null, user: "ann");
        var found = Assert.Single(await ((ISessionIndex)instance.Handler()).FindAsync("ann", CancellationToken));
        Assert.InRange(found.IdleDeadline - DateTimeOffset.UtcNow, Idle - Slack, Idle);
    }

    private async Task CommitAsync(ServiceProvider instance, TimeSpan? own, string? user = null, ulong version = 1) => Assert.IsType<CommitResult.Committed>(
        await instance.Handler().CommitAsync(_key, new SessionVersion(version - 1), Instance.Record(version, own, user), Idle, CancellationToken));

    private async Task ReadAsync(ServiceProvider instance) =>
        Assert.NotNull(await instance.Handler().ReadAsync(_key, Idle, CancellationToken));

    private async Task ShortenAsync(ConnectionMultiplexer redis) => Assert.True(await redis.GetDatabase().KeyExpireAsync(Prefix + _key.Value, Short));

    private async Task<TimeSpan> LeftAsync(ConnectionMultiplexer redis) => (await redis.GetDatabase().KeyTimeToLiveAsync(Prefix + _key.Value))!.Value;

    private async Task AssertLeftAsync(ConnectionMultiplexer redis, TimeSpan expected) => Assert.InRange(await LeftAsync(redis), expected - Slack, expected);

    private ServiceProvider Create() => Instance.Create(Configuration, options => (options.KeyPrefix, options.TouchInterval) = (Prefix, Interval));
}

public sealed class RedisTouchIntervalTests(RedisServerFixture redis) : TouchIntervalTests(redis);

public sealed class GarnetTouchIntervalTests(GarnetFixture garnet) : TouchIntervalTests(garnet);
