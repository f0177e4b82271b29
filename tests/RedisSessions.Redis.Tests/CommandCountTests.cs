using System.Globalization;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>What a session costs a Redis, by Redis's own count: on a server of our own, since others would count too.</summary>
public sealed class CommandCountTests
{
    // What the client does by itself now and then, and what counting costs.
    private static readonly string[] Housekeeping =
        ["info", "ping", "client|setinfo", "client|setname", "client|id", "client|list", "hello", "echo", "config|get", "cluster|nodes"];

    private readonly SessionKey _key = SessionKey.From(SessionId.New());

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    private static TimeSpan Idle => TimeSpan.FromMinutes(20);

    [Fact]
    public async Task A_read_is_one_GETEX() => await CountAsync(
        new() { ["getex"] = 1 },
        async handler => Assert.NotNull(await handler.ReadAsync(_key, Idle, CancellationToken)));

    [Fact]
    public async Task A_read_of_nothing_is_one_GETEX() => await CountAsync(
        new() { ["getex"] = 1 },
        async handler => Assert.Null(await handler.ReadAsync(SessionKey.From(SessionId.New()), Idle, CancellationToken)));

    [Fact]
    public async Task A_read_of_a_closed_record_also_takes_the_longer_deadline_back() => await CountAsync(
        new() { ["getex"] = 1, ["pexpireat"] = 1 },
        async handler => Assert.NotNull(await handler.ReadAsync(_key, Idle, CancellationToken)),
        SessionState.Ended);

    [Fact]
    public async Task A_read_of_a_record_with_an_idle_timeout_of_its_own_also_sets_that() => await CountAsync(
        new() { ["getex"] = 1, ["pexpire"] = 1 },
        async handler => Assert.NotNull(await handler.ReadAsync(_key, Idle, CancellationToken)),
        own: TimeSpan.FromDays(14));

    [Fact]
    public async Task A_commit_that_the_index_knows_of_already_costs_nothing_more() => await CountAsync(
        new() { ["evalsha"] = 1, ["getrange"] = 1, ["set"] = 1 },
        async handler => Assert.IsType<CommitResult.Committed>(
            await handler.CommitAsync(_key, new SessionVersion(1), Of("ann", index: false), Idle, CancellationToken)));

    [Fact]
    public async Task A_sign_in_is_one_script_more() => await CountAsync(
        new() { ["evalsha"] = 2, ["zadd"] = 1, ["zremrangebyscore"] = 1, ["zrange"] = 1, ["pexpire"] = 1, ["getrange"] = 1, ["set"] = 1 },
        async handler => Assert.IsType<CommitResult.Committed>(
            await handler.CommitAsync(_key, new SessionVersion(1), Of("ann", index: true), Idle, CancellationToken)),
        warmUp: handler => handler.CommitAsync(SessionKey.From(SessionId.New()), SessionVersion.None, Of("bob", index: true), Idle, CancellationToken).AsTask());

    [Fact]
    public async Task Looking_for_the_sessions_of_a_user_is_one_look_at_the_index_and_two_at_each_session() => await CountAsync(
        new() { ["zrangebyscore"] = 1, ["get"] = 2, ["pttl"] = 2 },
        async handler => Assert.Equal(2, (await ((ISessionIndex)handler).FindAsync("ann", CancellationToken)).Count),
        warmUp: async handler =>
        {
            for (var i = 0; i < 2; i++)
                await handler.CommitAsync(SessionKey.From(SessionId.New()), SessionVersion.None, Of("ann", index: true), Idle, CancellationToken);
        });

    [Fact]
    public async Task A_lease_is_one_script_to_take_one_to_renew_and_one_and_a_message_to_give_back() => await CountAsync(
        new() { ["evalsha"] = 3, ["set"] = 2, ["get"] = 2, ["del"] = 1, ["publish"] = 1 },
        handler => LeaseAsync((ISessionLeases)handler, SessionKey.From(SessionId.New())),
        warmUp: handler => LeaseAsync((ISessionLeases)handler, SessionKey.From(SessionId.New())));

    [Fact]
    public async Task A_process_listens_once_however_many_sessions_it_waits_for() => await CountAsync(
        new() { ["subscribe"] = 1 },
        async handler =>
        {
            for (var i = 0; i < 1000; i++)
                Assert.NotNull(await ((ISessionLeases)handler).WatchAsync(SessionKey.From(SessionId.New()), static () => { }, CancellationToken));
        });

    [Fact]
    public async Task A_commit_is_one_script_by_its_digest() => await CountAsync(
        // The last two are inside the script: no round trip of their own.
        new() { ["evalsha"] = 1, ["getrange"] = 1, ["set"] = 1 },
        async handler => Assert.IsType<CommitResult.Committed>(
            await handler.CommitAsync(_key, new SessionVersion(1), Instance.Record(2), Idle, CancellationToken)));

    [Fact]
    public async Task A_stale_commit_is_one_script_that_brings_the_newer_record_with_it() => await CountAsync(
        new() { ["evalsha"] = 1, ["getrange"] = 1, ["get"] = 1 },
        async handler => Assert.IsType<CommitResult.Conflict>(
            await handler.CommitAsync(_key, new SessionVersion(5), Instance.Record(6), Idle, CancellationToken)));

    [Fact]
    public async Task A_creation_is_one_script() => await CountAsync(
        new() { ["evalsha"] = 1, ["set"] = 1 },
        async handler => Assert.IsType<CommitResult.Committed>(
            await handler.CommitAsync(SessionKey.From(SessionId.New()), SessionVersion.None, Instance.Record(1), Idle, CancellationToken)));

    [Fact]
    public async Task A_delete_is_one_command() => await CountAsync(
        new() { ["unlink"] = 1 },
        async handler => Assert.True(await handler.DeleteAsync(_key, CancellationToken)));

    private static async Task LeaseAsync(ISessionLeases leases, SessionKey key)
    {
        var lease = new SessionLease("owner0123", TimeSpan.FromSeconds(30));
        Assert.Null(await leases.TryAcquireAsync(key, lease, CancellationToken));
        Assert.True(await leases.RenewAsync(key, lease, CancellationToken));
        await leases.ReleaseAsync(key, lease, CancellationToken);
    }

    private static SessionRecord Of(string user, bool index)
    {
        var record = Instance.Record(2);
        return new()
        {
            Version = record.Version,
            CreatedAt = record.CreatedAt,
            AbsoluteDeadline = record.AbsoluteDeadline,
            CommitIds = record.CommitIds,
            UserId = user,
            IndexUser = index,
        };
    }

    private async Task CountAsync(
        Dictionary<string, long> expected, Func<ISessionHandler, Task> operation, SessionState state = SessionState.Live, TimeSpan? own = null,
        Func<ISessionHandler, Task>? warmUp = null)
    {
        if (await RedisProcess.TryStartAsync([], CancellationToken) is not { } redis)
        {
            Assert.Skip("no redis-server on the PATH: commands are counted on a server of our own");
            return;
        }

        await using var _ = redis;
        await using var instance = Instance.Create(redis.Configuration);
        var handler = instance.Handler();
        // A warm connection: the script is known, the self-test is over.
        var record = Instance.Record(1);
        await handler.CommitAsync(_key, SessionVersion.None, new SessionRecord
        {
            Version = record.Version,
            State = state,
            CreatedAt = record.CreatedAt,
            AbsoluteDeadline = record.AbsoluteDeadline,
            CommitIds = record.CommitIds,
            IdleTimeout = own,
        }, Idle, CancellationToken);
        if (warmUp is not null)
            await warmUp(handler);
        await using var counting = await ConnectionMultiplexer.ConnectAsync($"{redis.Configuration},allowAdmin=true");

        // A client may be used before its second connection listens, and would be counted as listening during the operation.
        await Poll.UntilAsync(
            async () => (await counting.GetServers()[0].ClientListAsync()).Count(client => client.SubscriptionCount > 0) >= 2,
            TimeSpan.FromSeconds(20), "both clients listen", CancellationToken);
        var before = await StatsAsync(counting);
        await operation(handler);
        var counted = new Dictionary<string, long>();
        // What nobody waits for may be counted a moment later.
        await Poll.UntilAsync(
            async () =>
            {
                counted = (await StatsAsync(counting))
                    .Select(command => KeyValuePair.Create(command.Key, command.Value - before.GetValueOrDefault(command.Key)))
                    .Where(command => command.Value != 0 && !Housekeeping.Contains(command.Key)).ToDictionary();
                return expected.All(command => counted.GetValueOrDefault(command.Key) >= command.Value);
            },
            TimeSpan.FromSeconds(20), $"Redis has counted {string.Join(", ", expected.Keys)}", CancellationToken);

        Assert.Equal(expected.OrderBy(command => command.Key), counted.OrderBy(command => command.Key));
    }

    /// <summary>cmdstat_getex:calls=21,usec=175,… as name and calls.</summary>
    private static async Task<Dictionary<string, long>> StatsAsync(ConnectionMultiplexer redis) =>
        (await redis.GetServers()[0].InfoAsync("commandstats")).SelectMany(section => section).ToDictionary(
            line => line.Key["cmdstat_".Length..],
            line => long.Parse(line.Value.Split(',')[0]["calls=".Length..], CultureInfo.InvariantCulture));
}
