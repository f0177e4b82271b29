using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;

namespace RedisSessions.Redis.Tests.Resilience;

/// <summary>Redis is gone for a moment, and for longer. On servers of our own.</summary>
public sealed class DownTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // What a busy machine adds to a time that is kept exactly on a quiet one.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(600);

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nobody_notices_a_redis_that_is_killed_and_is_back_half_a_second_later()
    {
        await using var redis = await StartAsync();
        await using var instance = Instance.Create(redis.Configuration);
        await instance.StartAsync(CancellationToken);
        using var ending = new CancellationTokenSource();
        var (failures, done, calls) = (new ConcurrentQueue<Exception>(), 0, new List<Task>());
        for (var i = 0; i < 20; i++)
        {
            calls.Add(Task.Run(async () =>
            {
                var key = SessionKey.From(SessionId.New());
                while (!ending.IsCancellationRequested)
                {
                    try
                    {
                        await instance.Handler().ReadAsync(key, TimeSpan.FromMinutes(1), CancellationToken);
                        await instance.Handler().CommitAsync(key, SessionVersion.None, Instance.Record(1), TimeSpan.FromMinutes(1), CancellationToken);
                        Interlocked.Increment(ref done);
                    }
                    catch (SessionStoreException e)
                    {
                        failures.Enqueue(e);
                    }

                    await Task.Delay(20, CancellationToken);
                }
            }, CancellationToken));
        }

        for (var blip = 0; blip < 3; blip++)
        {
            await MoreAsync();
            await redis.KillAsync();
            await Task.Delay(350, CancellationToken);
            await redis.RestartAsync(CancellationToken);
        }

        await MoreAsync();
        await ending.CancelAsync();
        await Task.WhenAll(calls);
        Assert.Empty(failures);

        Task MoreAsync()
        {
            var before = Volatile.Read(ref done);
            return Poll.UntilAsync(() => Volatile.Read(ref done) > before + 100, Patience, "calls are answered", CancellationToken);
        }
    }

    [Fact]
    public async Task While_redis_is_dead_no_call_takes_longer_than_its_time_then_calls_fail_at_once_and_two_seconds_after_its_return_they_succeed()
    {
        await using var redis = await StartAsync();
        using var log = new LogCapture();
        await using var instance = Instance.Create(redis.Configuration, options => options.Timeout = TimeSpan.FromSeconds(1.5), log: log);
        await instance.StartAsync(CancellationToken);
        Assert.Null(await ReadAsync(instance));

        await redis.KillAsync();
        var first = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TimedAsync(instance)));
        Assert.All(first, call => Assert.InRange(call.Took, TimeSpan.FromSeconds(1.3), TimeSpan.FromSeconds(1.5) + Slack));
        Assert.Contains(log.Entries, entry => entry.Id == 110);

        // One of them may be the probe.
        var then = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TimedAsync(instance)));
        Assert.True(then.Count(call => call.Took < TimeSpan.FromMilliseconds(300)) >= 19, string.Join(", ", then.Select(call => call.Took)));
        Assert.Contains(then, call => call.Failure is SessionStoreException { InnerException: Polly.CircuitBreaker.BrokenCircuitException } e
            && e.Message.Contains("the circuit is open", StringComparison.Ordinal));

        await redis.RestartAsync(CancellationToken);
        var back = Stopwatch.GetTimestamp();
        await Poll.UntilAsync(async () => (await TimedAsync(instance)).Failure is null, Patience, "sessions work again", CancellationToken);
        Assert.InRange(Stopwatch.GetElapsedTime(back), TimeSpan.Zero, TimeSpan.FromSeconds(2) + Slack);
        Assert.Contains(log.Entries, entry => entry.Id == 111);
        Assert.All((await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TimedAsync(instance)))), call => Assert.Null(call.Failure));
    }

    [Fact]
    public async Task A_redis_that_stalls_ends_calls_in_time_and_what_it_answers_later_is_nobodys_exception()
    {
        await using var redis = await StartAsync();
        await using var instance = Instance.Create(redis.Configuration, options => (options.Timeout, options.TryTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0.3)));
        await instance.StartAsync(CancellationToken);
        Assert.Null(await ReadAsync(instance));
        var unobserved = new ConcurrentQueue<Exception>();
        EventHandler<UnobservedTaskExceptionEventArgs> seen = (_, e) => unobserved.Enqueue(e.Exception);
        TaskScheduler.UnobservedTaskException += seen;
        try
        {
            await redis.StopAsync();
            var calls = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TimedAsync(instance)));
            Assert.All(calls, call =>
            {
                Assert.Contains("(timeout,", call.Failure?.Message, StringComparison.Ordinal);
                Assert.InRange(call.Took, TimeSpan.FromSeconds(0.8), TimeSpan.FromSeconds(1) + Slack);
            });
            // Nothing is answered any more: every try that was given up ends with an exception of the client.
            await redis.KillAsync();
            await redis.RestartAsync(CancellationToken);
            await Poll.UntilAsync(async () => (await TimedAsync(instance)).Failure is null, Patience, "sessions work again", CancellationToken);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= seen;
        }

        Assert.DoesNotContain(unobserved, e => e.ToString().Contains("Redis", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_redis_that_answers_most_calls_is_not_taken_for_dead_however_many_others_fail()
    {
        await using var redis = await StartAsync();
        await using var proxy = FaultProxy.Start(redis.Configuration);
        await using var instance = Instance.Create(proxy.Configuration, options =>
            (options.Tries, options.TryTimeout, options.Timeout) = (1, TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(5)));
        await instance.StartAsync(CancellationToken);
        await instance.WarmUpAsync(CancellationToken);

        for (var round = 0; round < 8; round++)
        {
            var (held, released) = (0, new TaskCompletionSource());
            proxy.Policy = command => command.Name == "GETEX" && Interlocked.Exchange(ref held, 1) == 0 ? Fault.HoldUntil(released.Task) : Fault.None;
            var lost = await TimedAsync(instance);
            Assert.Contains("(timeout,", lost.Failure?.Message, StringComparison.Ordinal);
            released.SetResult();
            for (var call = 0; call < 5; call++)
                Assert.Null((await TimedAsync(instance)).Failure);
        }
    }

    private static async Task<RedisProcess> StartAsync()
    {
        var redis = await RedisProcess.TryStartAsync([], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: outages are made on a server of our own");
        return redis!;
    }

    private static async Task<(TimeSpan Took, Exception? Failure)> TimedAsync(ServiceProvider instance)
    {
        var started = Stopwatch.GetTimestamp();
        var failure = await Record.ExceptionAsync(() => ReadAsync(instance));
        return (Stopwatch.GetElapsedTime(started), failure);
    }

    private static Task<SessionRecord?> ReadAsync(ServiceProvider instance) =>
        instance.Handler().ReadAsync(SessionKey.From(SessionId.New()), TimeSpan.FromMinutes(1), CancellationToken).AsTask();
}
