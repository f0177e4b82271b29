using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;

namespace RedisSessions.Php.Tests;

/// <summary>One session in Redis, used by phpredis and by .NET.</summary>
public sealed class RedisTests(RedisServerFixture redis)
{
    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_thousand_increments_by_turns_are_a_thousand()
    {
        await using var php = StartPhp(locking: false);
        await using var instance = Create();
        await Shared.TakeTurnsAsync(php, instance.Manager(), Shared.NewId(), CancellationToken);
    }

    [Fact]
    public async Task At_once_none_is_lost_when_PHP_locks()
    {
        await using var one = Create();
        await using var other = Create();
        var (count, net) = await Shared.AllAtOnceAsync([StartPhp(locking: true), StartPhp(locking: true)], [one.Manager(), other.Manager()], Shared.NewId(), 125, CancellationToken);
        Assert.Equal((500, 250), (count, net));
    }

    [Fact]
    public async Task At_once_without_locks_PHP_overwrites_and_NET_loses_nothing_to_NET()
    {
        await using var one = Create();
        await using var other = Create();
        var (count, net) = await Shared.AllAtOnceAsync([StartPhp(locking: false), StartPhp(locking: false)], [one.Manager(), other.Manager()], Shared.NewId(), 125, CancellationToken);
        await Console.Error.WriteLineAsync($"MEASURED phpredis without locks: of 500 increments at once, 250 each by PHP and .NET, {500 - count} were overwritten by PHP ({250 - net} of .NET's)");
        // How many is for the machine to say: a slow request of PHP can take the session back to where it began.
        Assert.InRange(count, 1, 500);

        // The same again without PHP.
        var id = Shared.NewId();
        await using var php = StartPhp(locking: false);
        await php.RunAsync(Shared.Increment(id), CancellationToken);
        await Parallel.ForEachAsync(Enumerable.Range(0, 250), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = CancellationToken },
            async (i, token) => await (i % 2 == 0 ? one : other).Manager().IncrementAsync(id, "count", token));
        Assert.Equal(251, await php.NumberAsync(Shared.Read(id, "$_SESSION['count']"), CancellationToken));
    }

    [Fact]
    public Task What_either_side_does_the_other_sees() => Shared.WalkAsync(() => StartPhp(locking: true), Create, CancellationToken);

    [Fact]
    public async Task A_commit_waits_for_a_request_of_PHP_and_stands_on_what_it_has_stored()
    {
        await using var php = StartPhp(locking: true);
        await using var instance = Create();
        var id = Shared.NewId();
        await php.RunAsync(Shared.Increment(id), CancellationToken);
        // Connected and tested by then, so that it is the lock that is waited for.
        Assert.Equal(1, await instance.Manager().CountAsync(id, "count", CancellationToken));
        await php.RunAsync($"session_id('{id.Value}'); session_start(); $_SESSION['count']++;", CancellationToken);
        var committing = instance.Manager().IncrementAsync(id, "count", CancellationToken);
        await php.RunAsync("usleep(50000);", CancellationToken);
        Assert.False(committing.IsCompleted);
        await php.RunAsync("session_write_close();", CancellationToken);
        await committing;
        Assert.Equal(3, await php.NumberAsync(Shared.Read(id, "$_SESSION['count']"), CancellationToken));
    }

    [Fact]
    public async Task PHP_waits_for_an_exclusive_request()
    {
        await using var php = StartPhp(locking: true);
        await using var instance = Create();
        var (id, manager) = (Shared.NewId(), instance.Manager());
        await php.RunAsync(Shared.Increment(id), CancellationToken);
        var session = await manager.LoadAsync(id, SessionAccess.Exclusive, CancellationToken);
        var waiting = php.RunAsync(Shared.Increment(id), CancellationToken);
        session.Increment("count");
        await session.CommitAsync(CancellationToken);
        Assert.False(waiting.IsCompleted);
        await SessionManager.ReleaseAsync(session, CancellationToken);
        await waiting;
        Assert.Equal(3, await manager.CountAsync(id, "count", CancellationToken));
    }

    [Fact]
    public async Task A_request_of_PHP_that_does_not_end_is_a_failure_of_the_store_in_time()
    {
        await using var php = StartPhp(locking: true);
        await using var instance = Create(options => options.PhpLockWait = TimeSpan.FromMilliseconds(200));
        var (id, manager) = (Shared.NewId(), instance.Manager());
        await php.RunAsync(Shared.Increment(id), CancellationToken);
        await php.RunAsync($"session_id('{id.Value}'); session_start();", CancellationToken);
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => manager.IncrementAsync(id, "count", CancellationToken));
        Assert.Contains("Sessions:Redis:PhpLockWait", failure.Message, StringComparison.Ordinal);
        // Reading waits for nobody.
        Assert.Equal(1, await manager.CountAsync(id, "count", CancellationToken));
    }

    [Fact]
    public async Task A_commit_whose_answer_is_lost_counts_once_also_with_PHP_in_between()
    {
        await using var php = StartPhp(locking: false);
        await using var proxy = FaultProxy.Start(redis.Server.Configuration);
        await using var instance = Create(options => (options.Configuration, options.Timeout) = ($"{proxy.Configuration},connectTimeout=5000", TimeSpan.FromSeconds(30)));
        var (id, manager) = (Shared.NewId(), instance.Manager());
        await php.RunAsync(Shared.Increment(id), CancellationToken);
        await manager.IncrementAsync(id, "count", CancellationToken);
        proxy.Policy = command => command.IsScript && command.Number % 5 == 0 ? Fault.CutReply : Fault.None;
        for (var i = 0; i < 50; i++)
        {
            await php.RunAsync(Shared.Increment(id), CancellationToken);
            await manager.IncrementAsync(id, "count", CancellationToken);
        }

        Assert.True(proxy.Faults >= 10, $"Only {proxy.Faults} answers were lost.");
        proxy.Policy = _ => Fault.None;
        Assert.Equal(102, await manager.CountAsync(id, "count", CancellationToken));
    }

    [Fact]
    public async Task Laravel_keeps_a_string_within_a_string()
    {
        var prefix = $"laravel:{Guid.NewGuid():N}:";
        await using var php = StartPhp(locking: false);
        await using var instance = Create(options => (options.Layout, options.KeyPrefix) = (SessionLayout.Laravel, prefix));
        var id = Shared.NewId(SessionIdFormat.Laravel);
        var (host, port) = (redis.Server.Configuration.Split(':')[0], redis.Server.Configuration.Split(':')[1]);
        var connect = $"$r = new Redis(); $r->connect('{host}', {port});";
        await php.RunAsync($"{connect} $r->setex('{prefix}{id.Value}', 1200, serialize(serialize(['count' => 1, '_flash' => ['new' => [], 'old' => []]])));", CancellationToken);
        await instance.Manager().IncrementAsync(id, "count", CancellationToken);
        Assert.Equal(2, await php.NumberAsync($"{connect} return unserialize(unserialize($r->get('{prefix}{id.Value}')))['count'];", CancellationToken));
    }

    private PhpProcess StartPhp(bool locking)
    {
        Assert.SkipWhen(PhpProcess.Program is null, PhpProcess.None);
        var configuration = redis.Server.Configuration;
        Assert.SkipUnless(PhpProcess.HasExtension("redis"), "no phpredis: PHP has no extension redis (Debian: php-redis).");
        return PhpProcess.Start(
            "session.save_handler=redis", $"session.save_path=tcp://{configuration}", $"redis.session.locking_enabled={(locking ? 1 : 0)}", "redis.session.lock_retries=10000",
            "redis.session.lock_wait_time=2000");
    }

    private ServiceProvider Create(Action<RedisHandlerOptions> configure) => Instance.Create(builder => builder.AddRedis(options =>
    {
        options.Configuration = redis.Server.Configuration;
        options.Layout = SessionLayout.Php;
        configure(options);
    }));

    private ServiceProvider Create() => Create(static _ => { });
}
