using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>The way that every command goes: to a server that has passed its self-test, through the pipeline, and with one exception for what can go wrong.</summary>
internal sealed class RedisStore
{
    private readonly RedisConnection _connection;
    private readonly RedisSelfTest _selfTest;
    private readonly TimeProvider _time;
    private readonly RedisMetrics _metrics;
    private readonly ResiliencePipeline _circuit, _pipeline, _clusterPipeline;
    private readonly string _prefix;
    private readonly int _tries;
    private readonly TimeSpan _tryTimeout, _sampling;
    private long _troubled;

    public RedisStore(
        RedisConnection connection, RedisSelfTest selfTest, IOptions<RedisHandlerOptions> options, TimeProvider time, RedisMetrics metrics,
        ILogger<RedisSessionHandler> logger)
    {
        (_connection, _selfTest, _time, _metrics) = (connection, selfTest, time, metrics);
        (_prefix, _tries, _tryTimeout) = (options.Value.KeyPrefix, options.Value.Tries, options.Value.TryTimeout);
        _sampling = options.Value.Breaker.SamplingDuration;
        _circuit = RedisPipeline.Circuit(options.Value.Breaker, time, metrics.Circuit, state =>
        {
            metrics.Changed(state);
            if (state == CircuitState.Open)
                Log.CircuitOpened(logger);
            else if (state == CircuitState.Closed)
                Log.CircuitClosed(logger);
        });
        _pipeline = Create(_circuit);
        // Its primaries fail one by one, and a circuit for all of them would take away the sessions of those that live: while calls to a dead one wait for their
        // whole time, failures are all that is counted.
        _clusterPipeline = Create(ResiliencePipeline.Empty);

        ResiliencePipeline Create(ResiliencePipeline circuit) => RedisPipeline.Create(options.Value, time, circuit, (failure, attempt) =>
        {
            metrics.Retrying(failure);
            Log.Retrying(logger, attempt, failure.Reason);
            if (failure.Reason is "readonly" or "no_connection")
                connection.LookForPrimary();
        });
    }

    /// <summary>By this clock absolute deadlines are compared. What ends a while from now, the server counts.</summary>
    public DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>What belongs to these sessions and to no others on the server.</summary>
    public string Name(string name) => _prefix + name;

    public RedisKey Key(string name) => Name(name);

    /// <summary>Runs what asks only: whoever asked may give up at any moment.</summary>
    public ValueTask<TResult> RunAsync<TState, TResult>(
        string verb, TState state, Func<TState, RedisTry, Task<TResult>> run, CancellationToken cancellationToken) =>
        RunAsync(verb, state, run, cancellationToken, cancellationToken);

    /// <summary>Runs what changes something: before it is sent it can be cancelled, and from then on its answer is waited for.</summary>
    public ValueTask<TResult> RunToTheEndAsync<TState, TResult>(
        string verb, TState state, Func<TState, RedisTry, Task<TResult>> run, CancellationToken cancellationToken) =>
        RunAsync(verb, state, run, cancellationToken, CancellationToken.None);

    private async ValueTask<TResult> RunAsync<TState, TResult>(
        string verb, TState state, Func<TState, RedisTry, Task<TResult>> run, CancellationToken beforeSending, CancellationToken whileRunning)
    {
        beforeSending.ThrowIfCancellationRequested();
        var started = _time.GetTimestamp();
        RedisOperation? operation = null;
        try
        {
            // Nearly every call ends with its first try, and the pipeline costs more than all else that is ours: it gets what has failed (ADR 17).
            if (IsWell && _connection.Database is { } database)
            {
                Task<TResult>? running = null;
                try
                {
                    running = run(state, new RedisTry(database, _metrics, mayBeApplied: false, whileRunning));
                    var result = await running.WaitAsync(_tryTimeout, _time, whileRunning).ConfigureAwait(false);
                    CountSuccess();
                    return result;
                }
                catch (Exception e) when (e is not OperationCanceledException || !whileRunning.IsCancellationRequested)
                {
                    operation = new RedisOperation(_tries, started);
                    operation.FirstFailed(e);
                }
                finally
                {
                    Abandon(running);
                }
            }

            operation ??= new RedisOperation(_tries, started);
            return await RepeatAsync(operation, state, run, beforeSending, whileRunning).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            throw new SessionStoreException("redis", verb, e.Message, e);
        }
        catch (Exception e) when (e is RedisException or RedisCommandException or TimeoutException or ObjectDisposedException or ExecutionRejectedException)
        {
            throw Failed(verb, operation!, e, _time.GetElapsedTime(started));
        }
    }

    /// <summary>Whether a try may begin without the pipeline: with a circuit that is not closed, a call is refused or is the probe.</summary>
    private bool IsWell => _selfTest.HasPassed && (_connection.IsCluster || _metrics.Circuit.CircuitState == CircuitState.Closed);

    /// <summary>The circuit goes by the share of failures, and while there are any it has to know of the successes too.</summary>
    private void CountSuccess()
    {
        var troubled = Volatile.Read(ref _troubled);
        if (troubled == 0)
            return;
        if (_time.GetElapsedTime(troubled) > _sampling)
            Interlocked.CompareExchange(ref _troubled, 0, troubled);
        else if (IsWell && !_connection.IsCluster)
            _circuit.Execute(static () => { });
    }

    private async ValueTask<TResult> RepeatAsync<TState, TResult>(
        RedisOperation operation, TState state, Func<TState, RedisTry, Task<TResult>> run, CancellationToken beforeSending, CancellationToken whileRunning)
    {
        Volatile.Write(ref _troubled, _time.GetTimestamp());
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, whileRunning);
        try
        {
            context.Properties.Set(RedisOperation.Property, operation);
            return await (_connection.IsCluster ? _clusterPipeline : _pipeline).ExecuteAsync(
                static (context, all) => all.Store.TryAsync(all.Operation, all.State, all.Run, all.BeforeSending, context.CancellationToken),
                context,
                (Store: this, Operation: operation, State: state, Run: run, BeforeSending: beforeSending)).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async ValueTask<TResult> TryAsync<TState, TResult>(
        RedisOperation operation, TState state, Func<TState, RedisTry, Task<TResult>> run, CancellationToken beforeSending, CancellationToken cancellationToken)
    {
        operation.RepeatFirst();
        if (!operation.MayBeApplied)
            beforeSending.ThrowIfCancellationRequested();
        operation.Begin();
        Task<TResult>? running = null;
        try
        {
            await _selfTest.PassedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            var database = await _connection.DatabaseAsync(cancellationToken).ConfigureAwait(false);
            operation.Sending();
            running = run(state, new RedisTry(database, _metrics, operation.MayBeApplied, cancellationToken));
            return await running.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            operation.TimedOut(_connection.IsRefused ? RedisFailure.Unauthenticated with { Again = true } : RedisFailure.NoConnection);
            throw;
        }
        catch (SessionStoreException e) when (e.InnerException is RedisException or RedisCommandException or TimeoutException)
        {
            // The self-test could not be run: this command has not been sent.
            operation.FailedBefore(e.InnerException);
            throw;
        }
        catch (Exception e)
        {
            operation.Failed(e);
            throw;
        }
        finally
        {
            Abandon(running);
        }
    }

    /// <summary>Nobody waits for it any more; what becomes of it is still somebody's exception.</summary>
    private static void Abandon(Task? running)
    {
        if (running is { IsCompleted: false })
            _ = running.Observed();
    }

    private static SessionStoreException Failed(string verb, RedisOperation operation, Exception e, TimeSpan elapsed)
    {
        if (e is BrokenCircuitException broken)
        {
            return new("redis", verb, string.Create(CultureInfo.InvariantCulture,
                $"{RedisFailure.CircuitOpen.Advice}; it is tried again in {(broken.RetryAfter ?? TimeSpan.Zero).TotalMilliseconds:F0} ms (the circuit is open)."), e);
        }

        var failure = operation.Failure ?? RedisFailure.Of(e) ?? RedisFailure.Silent;
        var outcome = operation.MayBeApplied && verb is ("commit" or "delete") ? " Whether the change was stored is unknown." : "";
        // A server may quote what it was sent, which is a record here: that must not get into a log.
        var cause = failure.Reason == "unknown_command" ? null : operation.Cause ?? e;
        return new("redis", verb, string.Create(CultureInfo.InvariantCulture, $"{failure.Advice} ({failure.Reason}, after {elapsed.TotalMilliseconds:F0} ms){outcome}"), cause);
    }
}
