using Microsoft.Extensions.Logging;
using RedisSessions.Diagnostics;
using RedisSessions.Locking;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>
/// One commit from its first try to its end. Every try has the same commit id. A conflict brings the newer record, on which the request's
/// changes are replayed; the loop is bounded by tries and by time.
/// </summary>
internal sealed partial class SessionCommit(
    SessionManager manager, Session session, Session.Savepoint savepoint, Func<ValueTask>? rerun, CancellationToken cancellationToken)
{
    // A closed record must outlive the slowest request and the network's longest retransmission of a commit.
    internal static readonly TimeSpan ClosedLifetime = TimeSpan.FromMinutes(2);

    private CommitId _id = CommitId.New();
    private readonly long _started = manager.Time.GetTimestamp();
    private int _tries;

    // The record under the new id, while regenerating. Nobody else can write it: nobody has its id yet.
    private SessionId? _newId;
    private SessionVersion _newVersion;

    // What was met where a session was to be imported.
    private SessionRecord? _met;

    /// <summary>What became of it, in one word: nothing, issued, imported, committed, regenerated, destroyed or discarded.</summary>
    public string Outcome { get; private set; } = "nothing";

    /// <summary>Stores a session that the store does not know yet.</summary>
    /// <returns>False when it knows it now, and there is more to be done.</returns>
    public async ValueTask<bool> CreateAsync()
    {
        if (session.IsImported)
            return await ImportAsync().ConfigureAwait(false);
        if (session.Fate == SessionFate.Destroy)
        {
            Destroyed();
            return true;
        }

        if (session.End == SessionEnd.Lost || (session.End == SessionEnd.Replaced && session.Fate == SessionFate.Keep))
        {
            Lost();
            return true;
        }

        if (!session.Work.Changes.HasEffect)
        {
            session.Fate = SessionFate.Keep;
            return true;
        }

        for (var id = session.SessionId; ; id = SessionId.New())
        {
            var key = SessionKey.From(id);
            var record = Next(key, SessionVersion.None);
            var result = await Store(key, SessionVersion.None, record, manager.Options.IdleTimeout).ConfigureAwait(false);
            // A conflict without our own commit in it would be two equal ids of 256 random bits; if so, another id.
            if (result is CommitResult.Committed || (result is CommitResult.Conflict { Current: var mine } && mine.HasCommit(_id)))
            {
                session.End = SessionEnd.None;
                session.Accept(record, _values, key, id);
                Outcome = "issued";
                manager.Metrics.Issued();
                return true;
            }
        }
    }

    /// <summary>
    /// Stores what came from elsewhere, as it came; what the request has made of it is a commit on top. So of several requests that import the same session one
    /// creates it, and the changes of all others are replayed on that.
    /// </summary>
    private async ValueTask<bool> ImportAsync()
    {
        var key = SessionKey.From(session.SessionId);
        var record = Sealed(key, SessionVersion.None, session.Work.Snapshot);
        var result = await Store(key, SessionVersion.None, record, manager.Options.IdleTimeout).ConfigureAwait(false);
        if (result is CommitResult.Conflict { Current: var there } && !there.HasCommit(_id))
            (_met, record) = (there, there);
        else
            manager.Metrics.Imported();
        // What follows is another commit, which must not be taken for this one.
        _id = CommitId.New();
        session.Attach(record, key);
        session.SendCookieAtNextCommit();
        if (_met is not null || session.HasWork)
            return false;
        session.Accept(record, session.Work.Snapshot, key, id: null);
        Outcome = "imported";
        return true;
    }

    /// <summary>Stores what has become of a session that the store knows.</summary>
    public async ValueTask ReplaceAsync(CommitQueue.Turn turn)
    {
        if (await KeepOneRotation(session.Key).ConfigureAwait(false))
            return;

        // Who waited in line is told what happened meanwhile; the store would only have said the same.
        var newer = turn.Newest is { } seen && seen.Version.Value > session.Base!.Version.Value ? seen : _met;
        while (true)
        {
            if (newer is not null && await MoveTo(newer, turn).ConfigureAwait(false))
                return;

            switch (await TryOnce(turn).ConfigureAwait(false))
            {
                case CommitResult.Committed:
                    return;
                case CommitResult.Gone:
                    await LoseAsync().ConfigureAwait(false);
                    return;
                case CommitResult.Conflict { Current: var current }:
                    newer = current;
                    manager.Metrics.Conflict();
                    SessionTracing.Event("conflict");
                    Tell(turn, session.Key, current);
                    break;
            }

            // A try that finds itself stored has not failed, even if it was the last one.
            if (newer is null || !newer.HasCommit(_id))
                await BackOff().ConfigureAwait(false);
        }
    }

    public SessionConflictException GiveUp()
    {
        var elapsed = manager.Time.GetElapsedTime(_started);
        Log.GaveUp(manager.Logger, _tries, elapsed.TotalMilliseconds);
        return SessionConflictException.GaveUp(_tries, elapsed);
    }

    private async ValueTask<CommitResult> TryOnce(CommitQueue.Turn turn)
    {
        var (key, old) = (session.Key, session.Base!);
        if (session.Fate == SessionFate.Destroy)
        {
            var end = Closed(old, SessionState.Ended, default);
            var ended = await Store(key, old.Version, end, ClosedLifetime).ConfigureAwait(false);
            if (ended is CommitResult.Committed)
            {
                Tell(turn, key, end);
                manager.Metrics.Destroyed("request");
                Destroyed();
            }

            return ended;
        }

        if (session.Fate is SessionFate.Rotate or SessionFate.Replace)
            _newId ??= SessionId.New();
        if (_newId is not { } newId)
        {
            var record = Next(key, old.Version);
            var kept = await Store(key, old.Version, record, manager.Options.IdleTimeout).ConfigureAwait(false);
            if (kept is CommitResult.Committed)
                Accept(record, key, turn);
            return kept;
        }

        // Two commits of ordinary records: the new one first, then the old one is closed. A crash in between leaves the old session as it
        // was and an orphan that expires.
        var newKey = SessionKey.From(newId);
        var copy = Next(newKey, _newVersion);
        var moved = await Store(newKey, _newVersion, copy, manager.Options.IdleTimeout).ConfigureAwait(false);
        if (moved is CommitResult.Gone || (moved is CommitResult.Conflict { Current: var mine } && !mine.HasCommit(_id)))
            throw new SessionStoreException(manager.Options.Handler ?? "default", "commit", "the record of the new session id disappeared or was changed while it was being made");
        _newVersion = moved is CommitResult.Conflict { Current: var there } ? there.Version : copy.Version;

        var closed = session.Fate == SessionFate.Replace
            ? Closed(old, SessionState.Replaced, default)
            : Closed(old, SessionState.Forward, newKey);
        var result = await Store(key, old.Version, closed, ClosedLifetime).ConfigureAwait(false);
        if (result is CommitResult.Committed)
        {
            Tell(turn, key, closed);
            Regenerated(copy, newKey, newId);
        }

        return result;
    }

    /// <summary>Goes on from a record that somebody else has committed.</summary>
    /// <returns>True when that settles the commit.</returns>
    private async ValueTask<bool> MoveTo(SessionRecord newer, CommitQueue.Turn turn)
    {
        if (newer.HasCommit(_id))
        {
            Log.FoundOwnCommit(manager.Logger);
            manager.Metrics.LostAnswer();
            SessionTracing.Event("lost_answer");
            Settle(newer, turn);
            return true;
        }

        var key = session.Key;
        if (newer.State == SessionState.Forward)
        {
            (key, var target) = await manager.ReadAsync(manager.Target(newer), cancellationToken).ConfigureAwait(false);
            newer = target!;
            if (await KeepOneRotation(key).ConfigureAwait(false))
                return true;
        }

        if (newer is not { State: SessionState.Live } || newer.AbsoluteDeadline <= manager.Now)
        {
            await LoseAsync().ConfigureAwait(false);
            return true;
        }

        if (session.Fate == SessionFate.Destroy)
        {
            session.Attach(newer, key);
            return false;
        }

        var lastWriteWins = manager.Options.OnConflict == ConflictBehavior.LastWriteWins;
        if (session.Lease is { IsLost: true })
        {
            await DropNewRecord().ConfigureAwait(false);
            Log.LeaseWasLost(manager.Logger);
            throw SessionConflictException.LeaseLost();
        }

        var tree = manager.Open(newer, key);
        if (manager.Logger.IsEnabled(LogLevel.Debug))
            Log.Rebasing(manager.Logger, session.Base!.Version, newer.Version, Contest.All(session.Work.Changes, session.Work.Snapshot, tree));
        var path = session.Work.RebaseOn(tree, lastWriteWins && rerun is null);
        if (path is { } differs)
        {
            // Told before a rerun is prepared, which forgets what was read in the first run.
            var (mine, theirs) = session.Work.ContestAt(differs, tree);
            if (rerun is null || session.Rewind(savepoint, tree, lastWriteWins) is not null)
            {
                await DropNewRecord().ConfigureAwait(false);
                Log.Refused(manager.Logger, differs.Text, theirs, mine);
                throw SessionConflictException.Changed(differs.Text);
            }
        }

        session.Attach(newer, key);
        manager.Metrics.Rebased(path is null ? "replay" : "rerun");
        SessionTracing.Event("rebase");
        if (path is null)
            return false;
        await rerun!().ConfigureAwait(false);
        session.AgeFlash();
        // This run may want another fate than the one before.
        if (session.Fate == SessionFate.Keep)
            await DropNewRecord().ConfigureAwait(false);
        return await KeepOneRotation(key).ConfigureAwait(false);
    }

    /// <summary>
    /// Whoever reached the session through a forward came with an id that has been rotated a moment ago. One rotation is enough: two responses with two
    /// new ids could reach the browser in the wrong order. A login goes on.
    /// </summary>
    /// <returns>True when nothing else was to be done.</returns>
    private async ValueTask<bool> KeepOneRotation(SessionKey key)
    {
        if (session.Fate != SessionFate.Rotate || key == SessionKey.From(session.SessionId))
            return false;
        await DropNewRecord().ConfigureAwait(false);
        session.Fate = SessionFate.Keep;
        return !session.HasWork;
    }

    private async ValueTask<CommitResult> Store(SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout)
    {
        _tries++;
        session.OutcomeUnknown = true;
        var result = await manager.Store.CommitAsync(key, expected, record, idleTimeout, cancellationToken).ConfigureAwait(false);
        session.OutcomeUnknown = false;
        return result;
    }

    private async ValueTask BackOff()
    {
        var elapsed = manager.Time.GetElapsedTime(_started);
        if (_tries >= manager.Options.CommitTries || elapsed >= manager.Options.CommitTimeout)
        {
            await DropNewRecord().ConfigureAwait(false);
            throw GiveUp();
        }

        manager.Metrics.Retry();
        // The first conflict is tried again at once: the newer record is in hand. Only a crowd needs spreading.
        if (_tries < 3)
            return;
        var most = Math.Min(1 << Math.Min(_tries - 2, 5), 32);
        await Task.Delay(TimeSpan.FromMilliseconds(manager.Jitter.Next(most)), manager.Time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Those who wait in line for this key learn what is stored now. After a forward this commit is about another key.</summary>
    private static void Tell(CommitQueue.Turn turn, SessionKey key, SessionRecord record)
    {
        if (key == turn.Key)
            turn.Newest = record;
    }

    private void Accept(SessionRecord record, SessionKey key, CommitQueue.Turn turn)
    {
        Tell(turn, key, record);
        session.Accept(record, _values, key, id: null);
        Outcome = "committed";
    }

    /// <summary>The session is stored under a new id, and the old one leads there or nowhere.</summary>
    private void Regenerated(SessionRecord record, SessionKey key, SessionId id)
    {
        Outcome = "regenerated";
        manager.Metrics.Regenerated(session.Fate == SessionFate.Replace ? "login" : "rotation");
        session.Accept(record, _values, key, id);
    }

    /// <summary>The record shows that this commit was stored, although its answer was lost.</summary>
    private void Settle(SessionRecord newer, CommitQueue.Turn turn)
    {
        if (session.Fate == SessionFate.Destroy)
        {
            manager.Metrics.Destroyed("request");
            Destroyed();
        }
        else if (_newId is { } id)
        {
            var key = SessionKey.From(id);
            Regenerated(Next(key, new SessionVersion(_newVersion.Value - 1)), key, id);
        }
        else if (newer.State == SessionState.Live)
        {
            _values = manager.Open(newer, session.Key);
            Accept(newer, session.Key, turn);
        }
        else
        {
            // Stored, and the session has ended or moved since: there is nothing left to do for this request.
            session.Close(SessionEnd.Lost);
        }
    }

    private void Destroyed()
    {
        session.Cookie = session.ExpireCookie ? SessionCookieAction.Expire : SessionCookieAction.Keep;
        session.Close(SessionEnd.Destroyed);
        Outcome = "destroyed";
    }

    private async ValueTask LoseAsync()
    {
        await DropNewRecord().ConfigureAwait(false);
        Lost();
    }

    /// <summary>The session has ended under this request: whatever it wanted to store has no place any more, and no cookie either.</summary>
    private void Lost()
    {
        if (session.Fate == SessionFate.Destroy)
        {
            Destroyed();
            return;
        }

        var intended = session.Work.Changes.IsIntended || session.Fate != SessionFate.Keep || session.ChangesLifetime;
        var changes = session.Work.Changes.Count;
        session.Close(SessionEnd.Lost);
        session.Cookie = SessionCookieAction.Keep;
        if (!intended)
            return;
        if (manager.Options.OnConflict == ConflictBehavior.Reject)
        {
            Log.Ended(manager.Logger);
            throw SessionConflictException.Ended();
        }

        Outcome = "discarded";
        Log.Discarded(manager.Logger, changes);
    }

    /// <summary>Removes the record of a new id that nobody will get. It would expire; this is tidiness.</summary>
    private async ValueTask DropNewRecord()
    {
        if (_newId is { } id && _newVersion != SessionVersion.None)
        {
            try
            {
                await manager.Store.DeleteAsync(SessionKey.From(id), cancellationToken).ConfigureAwait(false);
            }
            catch (SessionStoreException e)
            {
                // What this commit has to report is worse than an orphan.
                Log.OrphanLeft(manager.Logger, e);
            }
        }

        (_newId, _newVersion) = (null, SessionVersion.None);
    }
}
