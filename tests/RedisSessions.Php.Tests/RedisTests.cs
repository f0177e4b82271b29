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
        var (id, manager) = (NewId(), instance.Manager());
        for (var i = 0; i < 500; i++)
        {
            await php.RunAsync(Increment(id), CancellationToken);
            await manager.IncrementAsync(id, "count", CancellationToken);
        }

        Assert.Equal(1000, await manager.CountAsync(id, "count", CancellationToken));
        Assert.Equal(1000, await php.NumberAsync(Count(id), CancellationToken));
    }

    private static string Increment(SessionId id) => $"session_id('{id.Value}'); session_start(); $_SESSION['count'] = ($_SESSION['count'] ?? 0) + 1; session_write_close();";

    private static string Count(SessionId id) => $"session_id('{id.Value}'); session_start(); $n = $_SESSION['count']; session_abort(); return $n;";

    private static SessionId NewId() => Instance.Parse(SessionId.New(SessionIdFormat.Php).Value);

    private PhpProcess StartPhp(bool locking)
    {
        Assert.SkipWhen(PhpProcess.Program is null, PhpProcess.None);
        var php = PhpProcess.Start(
            "session.save_handler=redis", $"session.save_path=tcp://{redis.Server.Configuration}", $"redis.session.locking_enabled={(locking ? 1 : 0)}", "redis.session.lock_retries=10000",
            "redis.session.lock_wait_time=2000");
        return php;
    }

    private ServiceProvider Create() => Instance.Create(builder => builder.AddRedis(options =>
    {
        options.Configuration = redis.Server.Configuration;
        options.Layout = SessionLayout.Php;
    }));
}
