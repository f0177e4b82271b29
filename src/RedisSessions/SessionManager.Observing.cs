using RedisSessions.Diagnostics;
using RedisSessions.Locking;

namespace RedisSessions;

// The same again, measured and traced. Chosen only when somebody listens.
public sealed partial class SessionManager
{
    private async ValueTask<Session> ObserveAsync(
        SessionId id, SessionAccess access, Func<CancellationToken, ValueTask<IReadOnlyDictionary<string, byte[]>?>>? import, CancellationToken cancellationToken)
    {
        using var span = SessionTracing.Start("session load", _handlerName);
        span?.SetTag("redissessions.access", SessionMetrics.Word(access));
        var started = _time.GetTimestamp();
        try
        {
            var session = await FindAsync(id, access, import, cancellationToken).ConfigureAwait(false);
            var outcome = session.IsImported ? "imported" : session.IsNew ? "unknown" : "found";
            SessionTracing.End(span, outcome);
            Metrics.Loaded(_time.GetElapsedTime(started), access, outcome);
            return session;
        }
        catch (Exception e)
        {
            var outcome = SessionTracing.Fail(span, e);
            Metrics.Loaded(_time.GetElapsedTime(started), access, outcome);
            if (e is SessionBusyException)
                Metrics.Rejected(outcome);
            throw;
        }
    }

    private async ValueTask ObserveAsync(SessionCommit commit)
    {
        using var span = SessionTracing.Start("session commit", _handlerName);
        var started = _time.GetTimestamp();
        try
        {
            await commit.RunAsync().ConfigureAwait(false);
            SessionTracing.End(span, commit.Outcome);
            Metrics.Committed(_time.GetElapsedTime(started), commit.Outcome);
        }
        catch (Exception e)
        {
            var outcome = SessionTracing.Fail(span, e);
            Metrics.Committed(_time.GetElapsedTime(started), outcome);
            if (e is SessionConflictException or SessionTooLargeException)
                Metrics.Rejected(outcome);
            throw;
        }
    }

    /// <summary>The line for the lease, within this process and across all. Measured always: also the first in line asks the store.</summary>
    private ValueTask<ExclusiveLease> EnterLeaseAsync(LeaseQueue leases, SessionKey key, CancellationToken cancellationToken) =>
        Metrics.ObservesWaits || SessionTracing.IsOn ? ObserveLeaseAsync(leases, key, cancellationToken) : leases.EnterAsync(key, cancellationToken);

    private ValueTask<ExclusiveLease> ObserveLeaseAsync(LeaseQueue leases, SessionKey key, CancellationToken cancellationToken) =>
        WaitAsync("lease", () => leases.EnterAsync(key, cancellationToken));

    /// <summary>The line for the commits of one session. Measured only when there is somebody ahead.</summary>
    internal ValueTask<CommitQueue.Turn?> EnterQueueAsync(SessionKey key, bool first, CancellationToken cancellationToken)
    {
        var turn = Queue.EnterAsync(key, _options.CommitTimeout, int.MaxValue, first, _time, cancellationToken);
        return turn.IsCompletedSuccessfully || !(Metrics.ObservesWaits || SessionTracing.IsOn) ? turn : ObserveQueueAsync(turn);
    }

    private ValueTask<CommitQueue.Turn?> ObserveQueueAsync(ValueTask<CommitQueue.Turn?> turn) => WaitAsync("commit", () => turn);

    private async ValueTask<T> WaitAsync<T>(string reason, Func<ValueTask<T>> turn)
    {
        using var span = SessionTracing.Start("session wait", _handlerName);
        span?.SetTag("redissessions.reason", reason);
        var started = _time.GetTimestamp();
        try
        {
            var got = await turn().ConfigureAwait(false);
            var outcome = got is null ? "timeout" : "turn";
            SessionTracing.End(span, outcome);
            Metrics.Waited(_time.GetElapsedTime(started), reason, outcome);
            return got;
        }
        catch (Exception e)
        {
            Metrics.Waited(_time.GetElapsedTime(started), reason, SessionTracing.Fail(span, e));
            throw;
        }
    }
}
