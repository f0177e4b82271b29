using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>Messages of changes, and sessions kept in the process because there are such messages.</summary>
public abstract class ChangeTests : EngineTests
{
    private readonly SessionKey _key = SessionKey.From(SessionId.New());

    protected ChangeTests(RedisServerFixture redis) : base(redis) { }

    protected ChangeTests(GarnetFixture garnet) : base(garnet) { }

    private static TimeSpan Idle => TimeSpan.FromMinutes(20);

    [Fact]
    public async Task A_change_is_told_with_the_version_and_a_deletion_without()
    {
        await using var instance = Create(Configuration);
        await using var other = Create(Configuration);
        var heard = new ConcurrentQueue<(SessionKey, SessionVersion)>();
        using var here = ((ISessionChanges)instance.Handler()).Watch(static (_, _) => { }, static () => { });
        using var there = ((ISessionChanges)other.Handler()).Watch((key, version) => heard.Enqueue((key, version)), static () => { });
        await HearingAsync(instance);
        await HearingAsync(other);

        var handler = instance.Handler();
        Assert.IsType<CommitResult.Committed>(await handler.CommitAsync(_key, SessionVersion.None, Instance.Record(1), Idle, CancellationToken));
        Assert.IsType<CommitResult.Committed>(await handler.CommitAsync(_key, new SessionVersion(1), Instance.Record(2), Idle, CancellationToken));
        Assert.IsType<CommitResult.Conflict>(await handler.CommitAsync(_key, new SessionVersion(1), Instance.Record(2), Idle, CancellationToken));
        Assert.True(await handler.DeleteAsync(_key, CancellationToken));
        await UntilAsync(() => heard.Count >= 2, "both messages are there");
        // In the order of versions, not of arrival: the client hands messages on at once, and a version says by itself what it is newer than.
        Assert.Equal([(_key, SessionVersion.None), (_key, new SessionVersion(2))], heard.OrderBy(message => message.Item2.Value));
    }

    [Fact]
    public async Task The_message_is_the_key_and_the_version_as_the_record_has_it()
    {
        await using var instance = Create(Configuration);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        var heard = new ConcurrentQueue<byte[]>();
        await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(Prefix + "changed"), (_, message) => heard.Enqueue((byte[])message!));
        using var watch = ((ISessionChanges)instance.Handler()).Watch(static (_, _) => { }, static () => { });
        await HearingAsync(instance);
        heard.Clear();
        await instance.Handler().CommitAsync(_key, SessionVersion.None, Instance.Record(1), Idle, CancellationToken);
        await instance.Handler().CommitAsync(_key, new SessionVersion(1), Instance.Record(2), Idle, CancellationToken);
        await UntilAsync(() => !heard.IsEmpty, "the message is there");
        var message = Assert.Single(heard);
        Assert.Equal(_key.Value, Encoding.ASCII.GetString(message[..43]));
        Assert.Equal(new SessionVersion(2).Value, BinaryPrimitives.ReadUInt64BigEndian(message.AsSpan(43)));
    }

    [Fact]
    public async Task What_is_no_message_of_ours_changes_nothing()
    {
        await using var instance = Create(Configuration);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        var heard = 0;
        using var watch = ((ISessionChanges)instance.Handler()).Watch((_, _) => Interlocked.Increment(ref heard), static () => { });
        await HearingAsync(instance);
        var channel = RedisChannel.Literal(Prefix + "changed");
        foreach (var junk in new byte[][] { [], [1], new byte[51], new byte[52], [.. Enumerable.Repeat((byte)0xff, 5000)] })
            await redis.GetDatabase().PublishAsync(channel, junk);
        await redis.GetDatabase().PublishAsync(channel, (byte[])[.. Encoding.ASCII.GetBytes(_key.Value), .. new byte[8]]);
        await UntilAsync(() => Volatile.Read(ref heard) > 0, "the last one is heard");
        Assert.Equal(1, heard);
    }

    [Fact]
    public async Task Without_a_watch_nobody_is_told()
    {
        await using var instance = Create(Configuration);
        await using var other = Create(Configuration);
        var heard = 0;
        using var watch = ((ISessionChanges)other.Handler()).Watch((_, _) => Interlocked.Increment(ref heard), static () => { });
        await HearingAsync(other);
        await instance.Handler().CommitAsync(_key, SessionVersion.None, Instance.Record(1), Idle, CancellationToken);
        await instance.Handler().CommitAsync(_key, new SessionVersion(1), Instance.Record(2), Idle, CancellationToken);
        // A message that is sent later has overtaken none.
        await other.Handler().DeleteAsync(_key, CancellationToken);
        await UntilAsync(() => Volatile.Read(ref heard) > 0, "the deletion is heard");
        Assert.Equal(1, heard);
    }

    [Fact]
    public async Task Sessions_are_read_from_the_process_until_another_one_changes_them()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = await NearAsync(proxy.Configuration);
        await using var other = await NearAsync(Configuration);
        var id = await other.Manager().CreateSessionAsync("n", 1, CancellationToken);
        Assert.Equal(1, await instance.Manager().CountAsync(id, "n", CancellationToken));
        var reads = proxy.Count("GETEX");
        for (var i = 0; i < 20; i++)
            Assert.Equal(1, await instance.Manager().CountAsync(id, "n", CancellationToken));
        Assert.Equal(reads, proxy.Count("GETEX"));

        await other.Manager().IncrementAsync(id, "n", CancellationToken);
        await Poll.UntilAsync(async () => await instance.Manager().CountAsync(id, "n", CancellationToken) == 2, Patience, "the change is seen", CancellationToken);
    }

    [Fact]
    public async Task After_lost_connections_nothing_old_is_served_and_messages_arrive_again()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = await NearAsync(proxy.Configuration);
        await using var other = await NearAsync(Configuration);
        var id = await other.Manager().CreateSessionAsync("n", 1, CancellationToken);
        for (var round = 1; round <= 3; round++)
        {
            Assert.Equal(round, await instance.Manager().CountAsync(id, "n", CancellationToken));
            proxy.RefuseConnections = true;
            proxy.DropConnections();
            await UntilAsync(() => !((ISessionChanges)instance.Handler()).Arrive, "the loss is noticed");
            await other.Manager().IncrementAsync(id, "n", CancellationToken);
            proxy.RefuseConnections = false;
            await instance.WarmUpAsync(CancellationToken);
            Assert.Equal(round + 1, await instance.Manager().CountAsync(id, "n", CancellationToken));
            await HearingAsync(instance);
        }

        Assert.Equal(4, await instance.Manager().CountAsync(id, "n", CancellationToken));
        await other.Manager().IncrementAsync(id, "n", CancellationToken);
        await Poll.UntilAsync(async () => await instance.Manager().CountAsync(id, "n", CancellationToken) == 5, Patience, "the change is seen", CancellationToken);
    }

    [Fact]
    public async Task Messages_arrive_again_when_the_server_refuses_the_client_that_listens_again()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = await NearAsync(proxy.Configuration);
        var refused = 0;
        proxy.Policy = command =>
            command.Name == "SUBSCRIBE" && command.Text.Value.Contains(Prefix, StringComparison.Ordinal) && Interlocked.Increment(ref refused) <= 3 ? Fault.Unknown : Fault.None;
        proxy.DropConnections();
        await UntilAsync(() => Volatile.Read(ref refused) > 0, "the client is refused");
        await HearingAsync(instance);
    }

    [Fact]
    public async Task Three_processes_that_keep_sessions_lose_no_update_of_one()
    {
        const int Each = 40;
        await using var one = await NearAsync(Configuration);
        await using var two = await NearAsync(Configuration);
        await using var three = await NearAsync(Configuration);
        var all = new[] { one, two, three };
        var id = await one.Manager().CreateSessionAsync("n", 0, CancellationToken);
        await Task.WhenAll(all.Select(async instance =>
        {
            for (var i = 0; i < Each; i++)
            {
                var session = await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken);
                if (i % 2 == 0)
                    session.Increment("n");
                else
                    await session.UpdateAsync(session => session["n"] = session.Get<long>("n") + 1, CancellationToken);
                await session.CommitAsync(CancellationToken);
            }
        }));
        await Poll.UntilAsync(async () => await one.Manager().CountAsync(id, "n", CancellationToken) == all.Length * Each, Patience, "all are counted", CancellationToken);
    }

    private ServiceProvider Create(string configuration) => Instance.Create(configuration, options => options.KeyPrefix = Prefix);

    /// <summary>An instance that keeps sessions, from when it hears of changes.</summary>
    private async Task<ServiceProvider> NearAsync(string configuration)
    {
        var instance = Instance.Create(
            configuration, options => options.KeyPrefix = Prefix, sessions => sessions.NearCache.MaxStaleness = TimeSpan.FromMinutes(2));
        // The engine listens from its first use on.
        _ = instance.Manager();
        await HearingAsync(instance);
        return instance;
    }

    private static Task HearingAsync(ServiceProvider instance) => UntilAsync(() => ((ISessionChanges)instance.Handler()).Arrive, "messages arrive");

    private static Task UntilAsync(Func<bool> condition, string what) => Poll.UntilAsync(() => Task.FromResult(condition()), Patience, what, CancellationToken);
}

public sealed class RedisChangeTests(RedisServerFixture redis) : ChangeTests(redis);

public sealed class GarnetChangeTests(GarnetFixture garnet) : ChangeTests(garnet);
