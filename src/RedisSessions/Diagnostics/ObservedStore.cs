namespace RedisSessions.Diagnostics;

/// <summary>The engine's way to its handler, whatever the handler: every call is measured and traced, if anybody listens, and what it answers is kept, if anything is.</summary>
internal sealed class ObservedStore(ISessionHandler handler, SessionMetrics metrics, TimeProvider time, NearCache? near = null)
{
    private readonly string _system = handler.SystemName ?? metrics.Handler;

    /// <summary>Null when nothing is kept in the process.</summary>
    public NearCache? Near => near;

    private bool IsObserved => metrics.ObservesStore || SessionTracing.IsOn;

    // When nobody listens, the handler's own task is passed on: not even a state machine stands in between.
    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        near is null ? CallReadAsync(key, idleTimeout, cancellationToken) : ReadAndKeepAsync(near, key, idleTimeout, cancellationToken);

    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) => near is null
        ? CallCommitAsync(key, expected, record, idleTimeout, cancellationToken)
        : CommitAndKeepAsync(near, key, expected, record, idleTimeout, cancellationToken);

    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken)
    {
        var deleted = await CallDeleteAsync(key, cancellationToken).ConfigureAwait(false);
        near?.Forget(key);
        return deleted;
    }

    private async ValueTask<SessionRecord?> ReadAndKeepAsync(NearCache near, SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var asked = near.Ask();
        var record = await CallReadAsync(key, idleTimeout, cancellationToken).ConfigureAwait(false);
        if (record is not null)
            near.Put(key, record, asked);
        return record;
    }

    private async ValueTask<CommitResult> CommitAndKeepAsync(
        NearCache near, SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var asked = near.Ask();
        var result = await CallCommitAsync(key, expected, record, idleTimeout, cancellationToken).ConfigureAwait(false);
        if (result is CommitResult.Gone)
            near.Forget(key);
        else
            near.Put(key, result is CommitResult.Conflict { Current: var current } ? current : record, asked);
        return result;
    }

    private ValueTask<SessionRecord?> CallReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        IsObserved ? ObserveReadAsync(key, idleTimeout, cancellationToken) : handler.ReadAsync(key, idleTimeout, cancellationToken);

    private ValueTask<CommitResult> CallCommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) => IsObserved
        ? ObserveCommitAsync(key, expected, record, idleTimeout, cancellationToken)
        : handler.CommitAsync(key, expected, record, idleTimeout, cancellationToken);

    private ValueTask<bool> CallDeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        IsObserved ? ObserveDeleteAsync(key, cancellationToken) : handler.DeleteAsync(key, cancellationToken);

    private ValueTask<SessionRecord?> ObserveReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        ObserveAsync("read", () => handler.ReadAsync(key, idleTimeout, cancellationToken), found =>
        {
            if (found is { State: SessionState.Live })
                metrics.Payload(found.PayloadLength, "read");
            return found is null ? "missing" : "found";
        });

    private ValueTask<CommitResult> ObserveCommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        ObserveAsync("commit", () => handler.CommitAsync(key, expected, record, idleTimeout, cancellationToken), result =>
        {
            if (record.State == SessionState.Live)
                metrics.Payload(record.PayloadLength, "commit");
            return result is CommitResult.Committed ? "committed" : result is CommitResult.Conflict ? "conflict" : "gone";
        });

    private ValueTask<bool> ObserveDeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        ObserveAsync("delete", () => handler.DeleteAsync(key, cancellationToken), static deleted => deleted ? "deleted" : "missing");

    private async ValueTask<T> ObserveAsync<T>(string operation, Func<ValueTask<T>> call, Func<T, string> outcomeOf)
    {
        using var span = SessionTracing.StartStore(operation, _system);
        var started = time.GetTimestamp();
        try
        {
            var answer = await call().ConfigureAwait(false);
            var outcome = outcomeOf(answer);
            SessionTracing.End(span, outcome);
            metrics.Called(time.GetElapsedTime(started), operation, outcome);
            return answer;
        }
        catch (Exception e)
        {
            var outcome = SessionTracing.Fail(span, e);
            metrics.Called(time.GetElapsedTime(started), operation, outcome);
            if (e is not OperationCanceledException)
                metrics.StoreFailed(operation, SessionTracing.ErrorType(e));
            throw;
        }
    }
}
