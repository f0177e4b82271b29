namespace RedisSessions.Diagnostics;

/// <summary>The engine's way to its handler, whatever the handler: every call is measured and traced, if anybody listens.</summary>
internal sealed class ObservedStore(ISessionHandler handler, SessionMetrics metrics, TimeProvider time)
{
    private readonly string _system = handler.SystemName ?? metrics.Handler;

    private bool IsObserved => metrics.ObservesStore || SessionTracing.IsOn;

    // When nobody listens, the handler's own task is passed on: not even a state machine stands in between.
    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        IsObserved ? ObserveReadAsync(key, idleTimeout, cancellationToken) : handler.ReadAsync(key, idleTimeout, cancellationToken);

    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) => IsObserved
        ? ObserveCommitAsync(key, expected, record, idleTimeout, cancellationToken)
        : handler.CommitAsync(key, expected, record, idleTimeout, cancellationToken);

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
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
