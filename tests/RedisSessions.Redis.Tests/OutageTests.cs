using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>What happens to a Redis in its life: it is killed, stalls, forgets its scripts, fails over. On servers of our own.</summary>
public sealed class OutageTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly SessionKey _key = SessionKey.From(SessionId.New());

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_kill_9_and_a_restart_the_next_operation_succeeds_at_once()
    {
        await using var redis = await StartAsync();
        await using var instance = Instance.Create(redis.Configuration);
        await CommitAsync(instance, 0, 1);

        await redis.KillAsync();
        await redis.RestartAsync(CancellationToken);
        var started = Stopwatch.GetTimestamp();
        await CommitAsync(instance, 0, 1);

        // A quarter of a second on a quiet machine. The client's own defaults need three, a client that has to be restarted for ever.
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task While_redis_is_down_operations_fail_in_bounded_time_and_say_so_and_afterwards_they_succeed()
    {
        await using var redis = await StartAsync();
        await using var instance = Instance.Create(redis.Configuration);
        await instance.WarmUpAsync(CancellationToken);
        await CommitAsync(instance, 0, 1);

        await redis.KillAsync();
        var started = Stopwatch.GetTimestamp();
        foreach (var verb in (string[])["read", "commit", "delete"])
        {
            var failure = await Assert.ThrowsAsync<SessionStoreException>(() => verb switch
            {
                "read" => ReadAsync(instance),
                "commit" => CommitAsync(instance, 1, 2),
                _ => instance.Handler().DeleteAsync(_key, CancellationToken).AsTask(),
            });
            Assert.Equal(("redis", verb), (failure.Handler, failure.Verb));
        }

        // Three calls of three seconds.
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(11));
        await redis.RestartAsync(CancellationToken);
        Assert.Null(await ReadAsync(instance));
    }

    [Fact]
    public async Task A_redis_that_stalls_is_a_failure_in_bounded_time_and_goes_on_afterwards()
    {
        await using var redis = await StartAsync();
        await using var instance = Instance.Create(redis.Configuration);
        await instance.WarmUpAsync(CancellationToken);
        await CommitAsync(instance, 0, 1);

        await redis.StopAsync();
        var started = Stopwatch.GetTimestamp();
        await Assert.ThrowsAsync<SessionStoreException>(() => ReadAsync(instance));
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, Patience);
        await redis.ContinueAsync();

        await Poll.UntilAsync(
            async () => await Record.ExceptionAsync(() => ReadAsync(instance)) is null, Patience, "sessions work again", CancellationToken);
        Assert.NotNull(await ReadAsync(instance));
    }

    [Fact]
    public async Task A_redis_that_forgets_its_scripts_is_taught_them_again()
    {
        await using var redis = await StartAsync();
        await using var instance = Instance.Create(redis.Configuration);
        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{redis.Configuration},allowAdmin=true");
        for (ulong version = 0; version < 30; version++)
        {
            if (version % 5 == 3)
                await admin.GetServers()[0].ScriptFlushAsync();
            await CommitAsync(instance, version, version + 1);
        }

        Assert.Equal(30UL, (await ReadAsync(instance))!.Version.Count);
    }

    [Theory]
    [InlineData("READONLY", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE")]
    [InlineData("NOREPLICAS", "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0")]
    public async Task A_failover_that_refuses_writes_for_a_moment_is_waited_for(string refusal, string begin, string end)
    {
        await using var redis = await StartAsync();
        using var log = new LogCapture();
        await using var instance = Instance.Create(redis.Configuration, options => options.Timeout = Patience, log: log);
        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{redis.Configuration},allowAdmin=true");
        await CommitAsync(instance, 0, 1);

        await SendAsync(begin);
        var refused = await Record.ExceptionAsync(() => SendAsync("SET other value"));
        Assert.StartsWith(refusal, refused?.Message, StringComparison.Ordinal);
        var commit = CommitAsync(instance, 1, 2);
        await Poll.UntilAsync(() => log.Entries.Any(entry => entry.Id == 101) || commit.IsCompleted, Patience, "the commit is tried again", CancellationToken);
        await SendAsync(end);

        await commit;
        Assert.Equal(2UL, (await ReadAsync(instance))!.Version.Count);

        Task SendAsync(string command)
        {
            var words = command.Split(' ');
            return admin.GetServers()[0].ExecuteAsync(words[0], words[1..]);
        }
    }

    [Fact]
    public async Task A_wrong_password_is_a_failure_of_the_store_that_does_not_repeat_it()
    {
        await using var redis = await StartAsync("--requirepass", "the-right-one");
        using var log = new LogCapture();
        await using var instance = Instance.Create($"{redis.Configuration},password=the-wrong-one", log: log);

        await instance.StartAsync(CancellationToken);
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => ReadAsync(instance));

        Assert.DoesNotContain("the-wrong-one", failure.ToString(), StringComparison.Ordinal);
        Assert.All(log.Entries, entry => Assert.DoesNotContain("the-wrong-one", entry.Text + entry.Rest, StringComparison.Ordinal));
    }

    private static async Task<RedisProcess> StartAsync(params string[] settings)
    {
        var redis = await RedisProcess.TryStartAsync(settings, CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: outages are made on a server of our own");
        return redis!;
    }

    private async Task CommitAsync(ServiceProvider instance, ulong expected, ulong version)
    {
        var record = Instance.Record(version);
        var result = await instance.Handler().CommitAsync(_key, new SessionVersion(expected), record, TimeSpan.FromMinutes(1), CancellationToken);
        Assert.True(result.Stored(record), $"{result}");
    }

    private async Task<SessionRecord?> ReadAsync(ServiceProvider instance) =>
        await instance.Handler().ReadAsync(_key, TimeSpan.FromMinutes(1), CancellationToken);
}
