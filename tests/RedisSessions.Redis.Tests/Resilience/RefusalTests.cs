using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Resilience;

/// <summary>What a real server says when it refuses, and what becomes of it. On servers of our own.</summary>
public sealed class RefusalTests
{
    private readonly SessionKey _key = SessionKey.From(SessionId.New());

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    private static TimeSpan Idle => TimeSpan.FromMinutes(20);

    [Fact]
    public async Task A_full_server_takes_no_commit_and_still_reads_slides_and_deletes()
    {
        await using var redis = await StartAsync();
        await using var instance = Instance.Create(redis.Configuration);
        await CommitAsync(instance, 0, 1);
        await using var admin = await AdminAsync(redis);
        // Less than an empty server has.
        await admin.GetServers()[0].ConfigSetAsync("maxmemory", 1000);

        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(instance, 1, 2));
        Assert.Contains("maxmemory", failure.Message, StringComparison.Ordinal);
        Assert.Contains("(oom,", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1UL, (await instance.Handler().ReadAsync(_key, Idle, CancellationToken))!.Version.Count);
        Assert.InRange((await admin.GetDatabase().KeyTimeToLiveAsync("session:" + _key.Value))!.Value, TimeSpan.FromMinutes(19), Idle);
        // As often as one likes: it opens no circuit.
        for (var i = 0; i < 20; i++)
            await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(instance, 1, 2));
        Assert.True(await instance.Handler().DeleteAsync(_key, CancellationToken));
    }

    [Fact]
    public async Task A_server_that_cannot_save_takes_no_commit_and_says_where_to_look()
    {
        await using var redis = await StartAsync("--save", "3600 1");
        await using var instance = Instance.Create(redis.Configuration);
        await CommitAsync(instance, 0, 1);
        await using var admin = await AdminAsync(redis);
        // A folder in the place of the file: also root cannot save then.
        var folder = (await admin.GetServers()[0].ConfigGetAsync("dir"))[0].Value;
        Directory.CreateDirectory(Path.Combine(folder, "dump.rdb"));
        await admin.GetDatabase().ExecuteAsync("BGSAVE");
        await Poll.UntilAsync(
            async () => (await admin.GetServers()[0].InfoRawAsync("persistence"))!.Contains("rdb_last_bgsave_status:err", StringComparison.Ordinal),
            TimeSpan.FromSeconds(20), "the server has failed to save", CancellationToken);

        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(instance, 1, 2));
        Assert.Contains("cannot save to disk", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_password_where_one_is_due_the_failure_says_so()
    {
        await using var redis = await StartAsync("--requirepass", "secret");
        await using var instance = Instance.Create(redis.Configuration, options => options.Timeout = TimeSpan.FromSeconds(10));
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(instance, 0, 1));
        Assert.Contains("refuses the user or the password", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_without_the_right_is_told_at_once_where_the_rights_are_listed()
    {
        await using var redis = await StartAsync();
        await using var admin = await AdminAsync(redis);
        await admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", "poor", "on", ">password", "~session:*", "+@connection", "+info", "+getex");
        await using var instance = Instance.Create($"{redis.Configuration},user=poor,password=password", options => options.SelfTest = false);

        Assert.Null(await instance.Handler().ReadAsync(_key, Idle, CancellationToken));
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(instance, 0, 1));
        Assert.Contains("(no_permission,", failure.Message, StringComparison.Ordinal);
        Assert.Contains("docs/security.md", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Something_else_under_the_name_of_a_session_is_a_failure_and_stays_there()
    {
        await using var redis = await StartAsync();
        await using var instance = Instance.Create(redis.Configuration);
        await using var admin = await AdminAsync(redis);
        await admin.GetDatabase().ListRightPushAsync("session:" + _key.Value, "theirs");

        foreach (var call in (Func<Task>[])[() => instance.Handler().ReadAsync(_key, Idle, CancellationToken).AsTask(), () => CommitAsync(instance, 1, 2)])
        {
            var failure = await Assert.ThrowsAsync<SessionStoreException>(call);
            Assert.Contains("(wrong_type,", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(_key.Value, failure.ToString(), StringComparison.Ordinal);
        }

        Assert.Equal(1, await admin.GetDatabase().ListLengthAsync("session:" + _key.Value));
    }

    [Fact]
    public async Task A_server_that_is_busy_with_somebodys_script_is_waited_for()
    {
        await using var redis = await StartAsync("--busy-reply-threshold", "50");
        using var log = new LogCapture();
        await using var instance = Instance.Create(redis.Configuration, options => options.Timeout = TimeSpan.FromSeconds(30), log: log);
        await CommitAsync(instance, 0, 1);
        await using var admin = await AdminAsync(redis);
        await using var killer = await AdminAsync(redis);

        var endless = Record.ExceptionAsync(() => admin.GetDatabase().ScriptEvaluateAsync("while true do end"));
        await Poll.UntilAsync(
            async () => await Record.ExceptionAsync(() => killer.GetDatabase().PingAsync()) is RedisServerException, TimeSpan.FromSeconds(20), "the server is busy", CancellationToken);
        var commit = CommitAsync(instance, 1, 2);
        await Poll.UntilAsync(
            () => log.Entries.Any(entry => entry.Id == 101 && entry.Text.Contains("(busy)", StringComparison.Ordinal)) || commit.IsCompleted,
            TimeSpan.FromSeconds(20), "the commit is tried again", CancellationToken);
        Assert.False(commit.IsCompleted);
        await killer.GetServers()[0].ExecuteAsync("SCRIPT", "KILL");
        await endless;

        await commit;
    }

    [Fact]
    public async Task A_server_that_has_just_started_and_loads_its_data_is_waited_for()
    {
        await using var redis = await StartAsync("--enable-debug-command", "local", "--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024");
        using var log = new LogCapture();
        await using var instance = Instance.Create(redis.Configuration, options => options.Timeout = TimeSpan.FromSeconds(30), log: log);
        await CommitAsync(instance, 0, 1);
        await using var admin = await AdminAsync(redis);
        for (var i = 0; i < 50; i++)
            await admin.GetDatabase().StringSetAsync($"other{i}", RandomNumberGenerator.GetBytes(2000));

        var reload = Record.ExceptionAsync(() => admin.GetDatabase().ExecuteAsync("DEBUG", "RELOAD"));
        await Poll.UntilAsync(
            async () =>
            {
                await CommitAsync(instance, 1, 2);
                return log.Entries.Any(entry => entry.Id == 101 && entry.Text.Contains("(loading)", StringComparison.Ordinal)) || reload.IsCompleted;
            },
            TimeSpan.FromSeconds(20), "a commit is tried again", CancellationToken);

        Assert.Contains(log.Entries, entry => entry.Id == 101 && entry.Text.Contains("(loading)", StringComparison.Ordinal));
        await reload;
    }

    private static async Task<RedisProcess> StartAsync(params string[] settings)
    {
        var redis = await RedisProcess.TryStartAsync(settings, CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: refusals are provoked on a server of our own");
        return redis!;
    }

    private static async Task<ConnectionMultiplexer> AdminAsync(RedisProcess redis) =>
        await ConnectionMultiplexer.ConnectAsync($"{redis.Configuration},allowAdmin=true,asyncTimeout=20000,connectTimeout=20000");

    private async Task CommitAsync(ServiceProvider instance, ulong expected, ulong version) =>
        await instance.Handler().CommitAsync(_key, new SessionVersion(expected), Instance.Record(version), Idle, CancellationToken);
}
