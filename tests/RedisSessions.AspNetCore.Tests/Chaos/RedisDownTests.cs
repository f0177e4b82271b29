using System.Diagnostics;
using System.Net;
using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;

namespace RedisSessions.AspNetCore.Tests.Chaos;

/// <summary>Redis goes away under load, and comes back. On servers of our own.</summary>
public abstract class RedisDownTests
{
    protected static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1), TryTimeout = TimeSpan.FromMilliseconds(400);

    // Nobody waits for as long as the outage lasts. How much shorter it is on a quiet machine is measured, not asserted.
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(9);

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected static async Task<RedisProcess> StartAsync(params string[] settings)
    {
        var redis = await RedisProcess.TryStartAsync(settings, Token);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: outages are made on a server of our own");
        return redis!;
    }

    private protected static Task<LoadedFarm> FarmAsync(RedisProcess redis, int instances, int sessions) => LoadedFarm.StartAsync(instances, sessions,
    [
        "--Sessions:Handler=redis", $"--Sessions:Redis:Configuration={redis.Configuration}", $"--Sessions:Redis:Timeout={Timeout}", $"--Sessions:Redis:TryTimeout={TryTimeout}",
    ]);

    /// <summary>Ten seconds without Redis at 200 requests a second: what it costs the instance, and what the visitors see.</summary>
    protected static async Task OutageAsync(string how, Func<RedisProcess, Task> goAsync, Func<RedisProcess, Task> comeAsync)
    {
        await using var redis = await StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var farm = await FarmAsync(redis, instances: 1, sessions: 100);
        var goOn = true;
        var load = Task.Run(() => farm.RunAsync(200, () => Volatile.Read(ref goOn)), Token);
        await Task.Delay(3000, Token);
        var before = await farm.UsageAsync(0, collect: true);

        await goAsync(redis);
        var down = Stopwatch.GetTimestamp();
        var during = new List<Usage>();
        while (Stopwatch.GetElapsedTime(down) < TimeSpan.FromSeconds(10))
        {
            await Task.Delay(500, Token);
            during.Add(await farm.UsageAsync(0, collect: false));
        }

        var alive = await farm.UsageAsync(0, collect: true);
        await comeAsync(redis);
        var up = Stopwatch.GetTimestamp();
        await RecoveredAsync(farm, up);
        var recovered = Stopwatch.GetElapsedTime(up);
        await Task.Delay(1000, Token);
        Volatile.Write(ref goOn, false);
        await load;
        var after = await farm.UsageAsync(0, collect: true);

        var failures = farm.Samples.Count(sample => sample.Status == HttpStatusCode.ServiceUnavailable);
        var p99 = farm.Quantile(0.99, sample => sample.Status == HttpStatusCode.ServiceUnavailable);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"MEASURED redis {how} for 10 s at 200/s: {failures} answers 503, p50 {farm.Quantile(0.5, sample => sample.Status == HttpStatusCode.ServiceUnavailable).TotalMilliseconds:F0} ms, p99 {p99.TotalMilliseconds:F0} ms; back after {recovered.TotalMilliseconds:F0} ms; "
            + $"live heap {before.Heap >> 10} -> {alive.Heap >> 10} -> {after.Heap >> 10} KiB, resident {before.Resident >> 20} -> at most {during.Max(usage => usage.Resident) >> 20} MiB, "
            + $"threads {before.Threads} -> at most {during.Max(usage => usage.Threads)} -> {after.Threads}, waiting for a thread at most {during.Max(usage => usage.Pending)}; {farm.History}");
        Assert.True(failures > 500, $"Only {failures} requests failed: Redis was not away.");
        Assert.DoesNotContain(farm.Samples, sample => sample.Status == 0);
        Assert.InRange(p99, TimeSpan.Zero, InTime);
        Assert.InRange(alive.Heap, 0, before.Heap + (16 << 20));
        Assert.InRange(during.Max(usage => usage.Resident), 0, before.Resident + (96 << 20));
        Assert.InRange(during.Max(usage => usage.Threads), 0, before.Threads + 12);
        await farm.VerifyAsync();
    }

    /// <summary>Every session can be written to again: twenty answers in a row are no failures.</summary>
    private protected static async Task RecoveredAsync(LoadedFarm farm, long since)
    {
        await Poll.UntilAsync(
            () =>
            {
                var answers = farm.Samples.Where(sample => sample.Sent > since).OrderBy(sample => sample.Sent).TakeLast(20).ToArray();
                return answers.Length == 20 && Array.TrueForAll(answers, sample => sample.Status == HttpStatusCode.OK);
            },
            TimeSpan.FromSeconds(20), "requests succeed again", Token);
    }
}

/// <summary>Redis is killed, and what was acknowledged is in its append-only file.</summary>
public sealed class RedisKilledTests : RedisDownTests
{
    [Fact]
    public Task After_kill_9_and_three_seconds_nothing_acknowledged_is_lost_and_nobody_was_logged_out() => KillAsync(
        async farm =>
        {
            Assert.Contains(farm.Samples, sample => sample.Status == HttpStatusCode.ServiceUnavailable);
            Assert.DoesNotContain(farm.Samples, sample => sample.Status == 0);
            await farm.VerifyAsync();
        },
        "--appendonly", "yes", "--appendfsync", "always");

    [Fact]
    public Task Without_the_append_only_file_it_would_show() => KillAsync(async farm =>
    {
        await farm.LookAtAllAsync();
        Assert.Contains(farm.History.Violations(), violation => violation.Contains("logged out", StringComparison.Ordinal));
    });

    private static async Task KillAsync(Func<LoadedFarm, Task> judgeAsync, params string[] settings)
    {
        await using var redis = await StartAsync(settings);
        await using var farm = await FarmAsync(redis, instances: 2, sessions: 20);
        var goOn = true;
        var load = Task.Run(() => farm.RunAsync(200, () => Volatile.Read(ref goOn)), Token);
        await Task.Delay(1500, Token);
        await redis.KillAsync();
        await Task.Delay(3000, Token);
        await redis.RestartAsync(Token);
        var pong = Stopwatch.GetTimestamp();
        await RecoveredAsync(farm, pong);
        var first = farm.Samples.Where(sample => sample.Sent > pong && sample.Status == HttpStatusCode.OK).Min(sample => sample.Sent);
        var last = farm.Samples.Where(sample => sample.Status != HttpStatusCode.OK).Select(sample => sample.Sent).DefaultIfEmpty(pong).Max();
        await Task.Delay(1000, Token);
        Volatile.Write(ref goOn, false);
        await load;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"MEASURED kill -9 of redis, 3 s: the first success was sent {Stopwatch.GetElapsedTime(pong, first).TotalMilliseconds:F0} ms after PONG, the last failure {Stopwatch.GetElapsedTime(pong, last).TotalMilliseconds:F0} ms; "
            + $"{farm.Samples.Count(sample => sample.Status == HttpStatusCode.ServiceUnavailable)} answers 503; {farm.History}");
        await judgeAsync(farm);
    }
}

/// <summary>Ten seconds with a Redis that accepts and never answers.</summary>
public sealed class RedisPausedTests : RedisDownTests
{
    [Fact]
    public Task Memory_and_threads_stay_flat_and_failures_come_in_time() =>
        OutageAsync("paused", static redis => redis.StopAsync(), static redis => redis.ContinueAsync());
}

/// <summary>Ten seconds without any Redis.</summary>
public sealed class RedisGoneTests : RedisDownTests
{
    [Fact]
    public Task Memory_and_threads_stay_flat_and_failures_come_in_time() =>
        OutageAsync("killed", static redis => redis.KillAsync(), static redis => redis.RestartAsync(Token));
}
