using System.Globalization;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>What a session costs a Redis, by Redis's own count: on a server of our own, since others would count too.</summary>
public sealed class CommandCountTests
{
    // What the client does by itself now and then, and what counting costs.
    private static readonly string[] Housekeeping = ["info", "ping", "client|setinfo", "client|setname", "client|id", "hello", "echo", "config|get", "cluster|nodes"];

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

    private async Task CountAsync(Dictionary<string, long> expected, Func<ISessionHandler, Task> operation, SessionState state = SessionState.Live)
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
        }, Idle, CancellationToken);
        await using var counting = await ConnectionMultiplexer.ConnectAsync($"{redis.Configuration},allowAdmin=true");

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
                return expected.Keys.All(counted.ContainsKey);
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
