using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Resilience;

/// <summary>What is tried again, how often, and when the circuit opens: without a server.</summary>
public sealed class RedisPipelineTests
{
    private readonly RedisHandlerOptions _options = new() { Timeout = TimeSpan.FromSeconds(30), TryTimeout = TimeSpan.FromSeconds(10) };
    private CircuitBreakerStateProvider _circuit = new();
    private readonly List<string> _retries = [];
    private readonly List<CircuitState> _changes = [];
    private bool _endsTries;

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    private static RedisTimeoutException Lost => new(CommandFlags.None, "silent", CommandStatus.Sent);

    private static RedisConnectionException NotSent =>
        new(ConnectionFailureType.UnableToResolvePhysicalConnection, CommandFlags.None, "no connection", null, CommandStatus.WaitingToBeSent);

    private static RedisServerException Refused(string message) => new(RedisErrorKind.Unknown, CommandFlags.None, message);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task What_may_have_arrived_is_sent_as_often_as_the_setting_says_and_no_more(int tries)
    {
        _options.Tries = tries;
        var (made, failure) = await RunAsync(Create(), _ => throw Lost);
        Assert.IsType<RedisTimeoutException>(failure);
        Assert.Equal(tries, made);
        Assert.Equal(tries - 1, _retries.Count);
    }

    [Fact]
    public async Task What_never_left_and_what_was_refused_is_tried_for_longer_and_does_not_count()
    {
        _options.Tries = 2;
        var (made, failure) = await RunAsync(Create(), number =>
        {
            if (number <= 4)
                throw NotSent;
            if (number <= 8)
                throw Refused("READONLY You can't write against a read only replica.");
            if (number == 9)
                throw Lost;
        });
        Assert.Null(failure);
        Assert.Equal(10, made);
        Assert.Equal([.. Enumerable.Repeat("no_connection", 4), .. Enumerable.Repeat("readonly", 4), "timeout"], _retries);
    }

    [Fact]
    public async Task What_the_first_try_took_before_the_pipeline_is_a_part_of_the_time_of_the_call()
    {
        var began = Stopwatch.GetTimestamp();
        var (_, failure) = await RunAsync(Create(), _ => throw NotSent, before: _options.Timeout - TimeSpan.FromMilliseconds(200));
        Assert.IsType<TimeoutRejectedException>(failure);
        Assert.True(Stopwatch.GetElapsedTime(began) < _options.Timeout / 2);
    }

    [Fact]
    public async Task All_tries_together_end_with_the_time_of_the_call()
    {
        _options.Timeout = TimeSpan.FromMilliseconds(300);
        _options.TryTimeout = TimeSpan.FromMilliseconds(200);
        var (made, failure) = await RunAsync(Create(), _ => throw NotSent);
        Assert.IsType<TimeoutRejectedException>(failure);
        Assert.True(made > 2, $"Only {made} tries.");
    }

    [Theory]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.")]
    [InlineData("NOPERM this user has no permissions to run the 'evalsha' command")]
    public async Task What_a_moment_does_not_change_is_not_tried_again_and_opens_no_circuit(string message)
    {
        var pipeline = Create();
        for (var call = 0; call < 20; call++)
        {
            var (made, failure) = await RunAsync(pipeline, _ => throw Refused(message));
            Assert.IsType<RedisServerException>(failure);
            Assert.Equal(1, made);
        }

        Assert.Equal(CircuitState.Closed, _circuit.CircuitState);
    }

    [Fact]
    public async Task Failed_tries_open_no_circuit_and_failed_calls_do()
    {
        _options.Tries = 5;
        var pipeline = Create();
        for (var call = 0; call < 10; call++)
            Assert.Null((await RunAsync(pipeline, number => { if (number < 5) throw Lost; })).Failure);
        Assert.Equal(CircuitState.Closed, _circuit.CircuitState);
        Assert.Equal(40, _retries.Count);

        _options.Tries = 1;
        pipeline = Create();
        for (var call = 0; call < _options.Breaker.MinimumThroughput; call++)
            Assert.IsType<RedisTimeoutException>((await RunAsync(pipeline, _ => throw Lost)).Failure);
        var (made, failure) = await RunAsync(pipeline, _ => { });
        Assert.Equal(0, made);
        Assert.InRange(Assert.IsType<BrokenCircuitException>(failure).RetryAfter!.Value, TimeSpan.Zero, _options.Breaker.BreakDuration);
        Assert.Equal([CircuitState.Open], _changes);
    }

    [Fact]
    public async Task A_third_of_the_calls_failing_is_a_cluster_without_one_of_its_primaries_and_opens_nothing()
    {
        _options.Tries = 1;
        var pipeline = Create();
        for (var call = 0; call < 60; call++)
            await RunAsync(pipeline, _ => { if (call % 3 == 0) throw Lost; });
        Assert.Equal(CircuitState.Closed, _circuit.CircuitState);
    }

    [Fact]
    public async Task One_call_at_a_time_tries_whether_redis_is_back_and_its_success_closes_the_circuit()
    {
        _options.Tries = 1;
        _options.Breaker.BreakDuration = TimeSpan.FromSeconds(0.5);
        var pipeline = Create();
        for (var call = 0; call < _options.Breaker.MinimumThroughput; call++)
            await RunAsync(pipeline, _ => throw Lost);
        await TestServers.Poll.UntilAsync(
            async () => (await RunAsync(pipeline, _ => throw Lost)).Failure is RedisTimeoutException, TimeSpan.FromSeconds(20), "a call is let through", CancellationToken);
        Assert.IsType<BrokenCircuitException>((await RunAsync(pipeline, _ => { })).Failure);

        var answered = new TaskCompletionSource();
        Task<(int Made, Exception? Failure)> probe = Task.FromResult((0, (Exception?)null));
        await TestServers.Poll.UntilAsync(
            () =>
            {
                probe = RunAsync(pipeline, _ => { }, answered.Task);
                return !probe.IsCompleted;
            },
            TimeSpan.FromSeconds(20), "another call is let through", CancellationToken);
        for (var call = 0; call < 20; call++)
            Assert.IsType<BrokenCircuitException>((await RunAsync(pipeline, _ => { })).Failure);
        answered.SetResult();

        Assert.Null((await probe).Failure);
        Assert.Null((await RunAsync(pipeline, _ => { })).Failure);
        Assert.Equal([CircuitState.Open, CircuitState.HalfOpen, CircuitState.Open, CircuitState.HalfOpen, CircuitState.Closed], _changes);
    }

    [Fact]
    public async Task Without_a_circuit_every_call_is_tried()
    {
        (_options.Tries, _options.Breaker.Enabled) = (1, false);
        var pipeline = Create();
        for (var call = 0; call < 20; call++)
            Assert.Equal(1, (await RunAsync(pipeline, _ => throw Lost)).Made);
    }

    [Theory]
    [InlineData(false, 10)]
    [InlineData(true, 12.6)]
    public async Task A_client_that_ends_tries_itself_is_given_the_time_to_say_whether_it_had_sent(bool endsTries, double seconds)
    {
        _endsTries = endsTries;
        var time = new FakeTimeProvider();
        var context = ResilienceContextPool.Shared.Get(CancellationToken);
        context.Properties.Set(RedisOperation.Property, new RedisOperation(1, time.GetTimestamp()));
        var begun = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Create(time).ExecuteAsync(
            async context =>
            {
                begun.SetResult(context.CancellationToken);
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            },
            context).AsTask();
        var token = await begun.Task;

        time.Advance(TimeSpan.FromSeconds(seconds - 0.01));
        Assert.False(token.IsCancellationRequested);
        time.Advance(TimeSpan.FromSeconds(0.02));
        await Assert.ThrowsAsync<TimeoutRejectedException>(() => running);
        ResilienceContextPool.Shared.Return(context);
    }

    private ResiliencePipeline Create(TimeProvider? time = null) =>
        RedisPipeline.Create(
            _options, time ?? TimeProvider.System, RedisPipeline.Circuit(_options.Breaker, TimeProvider.System, _circuit = new(), _changes.Add),
            () => _endsTries, (failure, _) => _retries.Add(failure.Reason));

    /// <summary>One call: how many tries it made, and how it ended.</summary>
    private async Task<(int Made, Exception? Failure)> RunAsync(ResiliencePipeline pipeline, Action<int> attempt, Task? waiting = null, TimeSpan before = default)
    {
        var (made, operation) = (0, new RedisOperation(_options.Tries, Stopwatch.GetTimestamp() - (long)(before.TotalSeconds * Stopwatch.Frequency)));
        var context = ResilienceContextPool.Shared.Get(CancellationToken);
        context.Properties.Set(RedisOperation.Property, operation);
        try
        {
            await pipeline.ExecuteAsync(
                async _ =>
                {
                    operation.Begin();
                    operation.Sending();
                    try
                    {
                        if (waiting is not null)
                            await waiting;
                        attempt(++made);
                    }
                    catch (Exception e)
                    {
                        operation.Failed(e);
                        throw;
                    }
                },
                context);
            return (made, null);
        }
        catch (Exception e)
        {
            return (made, e);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
