using RedisSessions.Diagnostics;

namespace RedisSessions;

// Another id, or none any more: what closes the record that the request came with.
internal sealed partial class SessionCommit
{
    // The record under the new id, while regenerating. Nobody else can write it: nobody has its id yet.
    private SessionId? _newId;
    private SessionVersion _newVersion;
    private SessionRecord? _copy;

    /// <summary>Puts a closed record in the place of a session that is to be destroyed.</summary>
    private async ValueTask<CommitResult> EndAsync()
    {
        var (key, old) = (session.Key, session.Base!);
        var end = old.ClosedAs(SessionState.Ended, _id, manager.Now + ClosedLifetime);
        var result = await Store(key, old.Version, end, ClosedLifetime).ConfigureAwait(false);
        Answered();
        if (result is CommitResult.Committed)
        {
            Tell(key, end);
            manager.Metrics.Destroyed("request");
            Destroyed();
        }

        return result;
    }

    /// <summary>Stores the session under a new id, and puts a closed record in the old place.</summary>
    private async ValueTask<CommitResult> RegenerateAsync()
    {
        var (key, old) = (session.Key, session.Base!);
        _newId ??= SessionId.New(manager.IdFormat);

        // Two commits of ordinary records: the new one first, then the old one is closed. A crash in between leaves the old session as it
        // was and an orphan that expires.
        var newKey = SessionKey.From(_newId.Value);
        var copy = Next(newKey, _newVersion);
        var moved = await Store(newKey, _newVersion, copy, manager.Options.IdleTimeout).ConfigureAwait(false);
        Answered();
        if (moved is CommitResult.Gone || (moved is CommitResult.Conflict { Current: var mine } && !mine.HasCommit(_id)))
            throw new SessionStoreException(manager.Options.Handler ?? "default", "commit", "the record of the new session id disappeared or was changed while it was being made");
        (_copy, _newVersion) = (copy, moved is CommitResult.Conflict { Current: var there } ? there.Version : copy.Version);

        var closed = Moved(old, key, session.Fate == SessionFate.Replace ? SessionState.Replaced : SessionState.Forward, newKey);
        var result = await Store(key, old.Version, closed, ClosedLifetime).ConfigureAwait(false);
        Answered();
        if (result is CommitResult.Committed)
        {
            Tell(key, closed);
            Regenerated(copy, newKey, _newId.Value);
        }

        return result;
    }

    /// <summary>The session is stored under a new id, and the old one leads there or nowhere.</summary>
    private void Regenerated(SessionRecord record, SessionKey key, SessionId id)
    {
        Outcome = "regenerated";
        manager.Metrics.Regenerated(session.Fate == SessionFate.Replace ? "login" : "rotation");
        session.Accept(record, _values, key, id);
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

        (_newId, _newVersion, _copy) = (null, SessionVersion.None, null);
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

        // What a delegate did on what was never stored is forgotten already, but not that it wanted something.
        var intended = _ranAhead || session.Work.Changes.IsIntended || session.Fate != SessionFate.Keep || session.ChangesLifetime;
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
}
