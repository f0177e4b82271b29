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
    private readonly ResiliencePipeline _pipeline, _clusterPipeline;
    private readonly string _prefix;
    private readonly int _tries;

    public RedisStore(
        RedisConnection connection, RedisSelfTest selfTest, IOptions<RedisHandlerOptions> options, TimeProvider time, RedisMetrics metrics,
        ILogger<RedisSessionHandler> logger)
    {
        (_connection, _selfTest, _time) = (connection, selfTest, time);
        (_prefix, _tries) = (options.Value.KeyPrefix, options.Value.Tries);
        _pipeline = Create(breaks: true);
        // Its primaries fail one by one, and a circuit for all of them would take away the sessions of those that live: while calls to a dead one wait for their
        // whole time, failures are all that is counted.
        _clusterPipeline = Create(breaks: false);

        ResiliencePipeline Create(bool breaks) => RedisPipeline.Create(
            options.Value, time, metrics.Circuit,
            (failure, attempt) =>
            {
                metrics.Retrying(failure);
                Log.Retrying(logger, attempt, failure.Reason);
                if (failure.Reason is "readonly" or "no_connection")
                    connection.LookForPrimary();
            },
            state =>
            {
                metrics.Changed(state);
                if (state == CircuitState.Open)
                    Log.CircuitOpened(logger);
                else if (state == CircuitState.Closed)
                    Log.CircuitClosed(logger);
            },
            breaks);
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
        var started = _time.GetTimestamp();
        var operation = new RedisOperation(_tries);
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, whileRunning);
        try
        {
            context.Properties.Set(RedisOperation.Property, operation);
            return await (_connection.IsCluster ? _clusterPipeline : _pipeline).ExecuteAsync(
                static (context, all) => all.Store.TryAsync(all.Operation, all.State, all.Run, all.BeforeSending, context.CancellationToken),
                context,
                (Store: this, Operation: operation, State: state, Run: run, BeforeSending: beforeSending)).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            throw new SessionStoreException("redis", verb, e.Message, e);
        }
        catch (Exception e) when (e is RedisException or RedisCommandException or TimeoutException or ObjectDisposedException or ExecutionRejectedException)
        {
            throw Failed(verb, operation, e, _time.GetElapsedTime(started));
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async ValueTask<TResult> TryAsync<TState, TResult>(
        RedisOperation operation, TState state, Func<TState, RedisTry, Task<TResult>> run, CancellationToken beforeSending, CancellationToken cancellationToken)
    {
        if (!operation.MayBeApplied)
            beforeSending.ThrowIfCancellationRequested();
        operation.Begin();
        Task<TResult>? running = null;
        try
        {
            await _selfTest.PassedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            var database = await _connection.DatabaseAsync(cancellationToken).ConfigureAwait(false);
            operation.Sending();
            running = run(state, new RedisTry(database, operation.MayBeApplied, cancellationToken));
            return await running.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Nobody waits for it any more; what becomes of it is still somebody's exception.
            _ = running?.ContinueWith(
                static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
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
