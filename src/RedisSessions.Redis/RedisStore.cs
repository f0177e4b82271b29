using System.Globalization;
using System.Text;
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
    private readonly RedisKey _keyPrefix;
    private readonly int _tries;
    private readonly TimeSpan _tryTimeout, _sampling;
    private long _troubled;

    public RedisStore(
        RedisConnection connection, RedisSelfTest selfTest, IOptions<RedisHandlerOptions> options, TimeProvider time, RedisMetrics metrics,
        ILogger<RedisSessionHandler> logger)
    {
        (_connection, _selfTest, _time, _metrics) = (connection, selfTest, time, metrics);
        (_prefix, _tries, _tryTimeout) = (options.Value.KeyPrefix, options.Value.Tries, options.Value.TryTimeout);
        _keyPrefix = Encoding.UTF8.GetBytes(_prefix);
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

        ResiliencePipeline Create(ResiliencePipeline circuit) => RedisPipeline.Create(options.Value, time, circuit, () => connection.EndsTries, (failure, attempt) =>
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

    /// <summary>The same for a command; the two are put together where the command is written.</summary>
    public RedisKey Key(string name) => _keyPrefix.Append(name);

    /// <summary>Runs what asks only: whoever asked may give up at any moment.</summary>
    public ValueTask<TResult> RunAsync<TState, TResult>(
        string verb, TState state, Func<TState, RedisTry, Task<TResult>> run, CancellationToken cancellationToken) =>
        RunAsync(verb, state, run, static (_, _, answer) => answer, cancellationToken);

    /// <summary>The same with something to be made of the answer, which may say that it is not good.</summary>
    public ValueTask<TResult> RunAsync<TState, TAnswer, TResult>(
        string verb, TState state, Func<TState, RedisTry, Task<TAnswer>> run, Func<TState, RedisTry, TAnswer, TResult> read, CancellationToken cancellationToken) =>
        RunAsync(verb, state, new Call<TState, TAnswer, TResult>(run, read), cancellationToken, cancellationToken);

    /// <summary>Runs what changes something: before it is sent it can be cancelled, and from then on its answer is waited for.</summary>
    public ValueTask<TResult> RunToTheEndAsync<TState, TResult>(
        string verb, TState state, Func<TState, RedisTry, Task<TResult>> run, CancellationToken cancellationToken) =>
        RunToTheEndAsync(verb, state, run, static (_, _, answer) => answer, cancellationToken);

    /// <summary>The same with something to be made of the answer, which may say that it is not good.</summary>
    public ValueTask<TResult> RunToTheEndAsync<TState, TAnswer, TResult>(
        string verb, TState state, Func<TState, RedisTry, Task<TAnswer>> run, Func<TState, RedisTry, TAnswer, TResult> read, CancellationToken cancellationToken) =>
        RunAsync(verb, state, new Call<TState, TAnswer, TResult>(run, read), cancellationToken, CancellationToken.None);

    /// <summary>What is sent, and what is made of its answer: two delegates, because an async one between them would cost each request an object more.</summary>
    private readonly record struct Call<TState, TAnswer, TResult>(Func<TState, RedisTry, Task<TAnswer>> Run, Func<TState, RedisTry, TAnswer, TResult> Read);

    // Nearly every call ends with its first try, and the pipeline costs more than all else that is ours: it gets what has failed (ADR 17).
    private async ValueTask<TResult> RunAsync<TState, TAnswer, TResult>(
        string verb, TState state, Call<TState, TAnswer, TResult> call, CancellationToken beforeSending, CancellationToken whileRunning)
    {
        beforeSending.ThrowIfCancellationRequested();
        var started = _time.GetTimestamp();
        Exception? failure = null;
        if (IsWell && _connection.Database is { } database)
        {
            Task<TAnswer>? running = null;
            try
            {
                running = call.Run(state, new RedisTry(database, mayBeApplied: false, whileRunning));
                // The client ends what takes longer than a try, by a look at all that is under way: for that long whoever gives up waits too. Else this needs a clock of its own.
                var answer = await (_connection.EndsTries ? running : running.WaitAsync(_tryTimeout, _time, whileRunning)).ConfigureAwait(false);
                var result = call.Read(state, new RedisTry(database, mayBeApplied: false, whileRunning), answer);
                CountSuccess();
                return result;
            }
            catch (Exception e) when (e is not OperationCanceledException || !whileRunning.IsCancellationRequested)
            {
                failure = e;
            }
            finally
            {
                Abandon(running);
            }
        }

        return await RecoverAsync(verb, state, call, started, failure, beforeSending, whileRunning).ConfigureAwait(false);
    }

    /// <summary>What did not go well at once, or could not begin.</summary>
    private async ValueTask<TResult> RecoverAsync<TState, TAnswer, TResult>(
        string verb, TState state, Call<TState, TAnswer, TResult> call, long started, Exception? failure, CancellationToken beforeSending, CancellationToken whileRunning)
    {
        var operation = new RedisOperation(_tries, started);
        try
        {
            // A script that the server does not have was not run: the pipeline's first try is the first one then.
            if (failure is not null && !(failure is RedisServerException refusal && RedisFailure.IsScriptMissing(refusal.Message)))
                operation.FirstFailed(failure);
            return await RepeatAsync(operation, state, call, beforeSending, whileRunning).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            throw new SessionStoreException("redis", verb, e.Message, e);
        }
        catch (Exception e) when (e is RedisException or RedisCommandException or TimeoutException or ObjectDisposedException or ExecutionRejectedException)
        {
            throw Failed(verb, operation, e, _time.GetElapsedTime(started));
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
            ReportSuccess();
    }

    private void ReportSuccess()
    {
        try
        {
            _circuit.Execute(static () => { });
        }
        catch (BrokenCircuitException)
        {
            // Others have failed meanwhile, and this call has not.
        }
    }

    private async ValueTask<TResult> RepeatAsync<TState, TAnswer, TResult>(
        RedisOperation operation, TState state, Call<TState, TAnswer, TResult> call, CancellationToken beforeSending, CancellationToken whileRunning)
    {
        Volatile.Write(ref _troubled, _time.GetTimestamp());
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, whileRunning);
        try
        {
            context.Properties.Set(RedisOperation.Property, operation);
            return await (_connection.IsCluster ? _clusterPipeline : _pipeline).ExecuteAsync(
                static (context, all) => all.Store.TryAsync(all.Operation, all.State, all.Call, all.BeforeSending, context.CancellationToken),
                context,
                (Store: this, Operation: operation, State: state, Call: call, BeforeSending: beforeSending)).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async ValueTask<TResult> TryAsync<TState, TAnswer, TResult>(
        RedisOperation operation, TState state, Call<TState, TAnswer, TResult> call, CancellationToken beforeSending, CancellationToken cancellationToken)
    {
        operation.RepeatFirst();
        if (!operation.MayBeApplied)
            beforeSending.ThrowIfCancellationRequested();
        operation.Begin();
        Task<TAnswer>? running = null;
        try
        {
            await _selfTest.PassedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            var database = await _connection.DatabaseAsync(cancellationToken).ConfigureAwait(false);
            operation.Sending();
            var attempt = new RedisTry(database, operation.MayBeApplied, cancellationToken);
            while (true)
            {
                try
                {
                    running = call.Run(state, attempt);
                    return call.Read(state, attempt, await running.WaitAsync(cancellationToken).ConfigureAwait(false));
                }
                catch (RedisServerException e) when (!attempt.WithText && RedisFailure.IsScriptMissing(e.Message))
                {
                    _metrics.ScriptMissed();
                    cancellationToken.ThrowIfCancellationRequested();
                    attempt = attempt.AgainWithText();
                }
            }
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
