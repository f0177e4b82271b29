using Microsoft.Extensions.Logging;
using RedisSessions.Diagnostics;
using RedisSessions.Values;

namespace RedisSessions;

// What somebody else has committed, and how this commit goes on from there.
internal sealed partial class SessionCommit
{
    /// <summary>Goes on from a record that somebody else has committed.</summary>
    /// <returns>True when that settles the commit.</returns>
    private async ValueTask<bool> MoveTo(SessionRecord newer)
    {
        if (newer.HasCommit(_id))
        {
            Log.FoundOwnCommit(manager.Logger);
            manager.Metrics.LostAnswer();
            SessionTracing.Event("lost_answer");
            Settle(newer);
            return true;
        }

        var key = session.Key;
        if (newer.State == SessionState.Forward)
        {
            (key, var target) = await manager.ReadAsync(manager.Target(newer, key), cancellationToken).ConfigureAwait(false);
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
        // Told before a rerun is prepared, which forgets what was read in the first run.
        var path = _ranAhead ? null : session.Work.RebaseOn(tree, lastWriteWins && rerun is null);
        var (mine, theirs) = path is { } differs ? session.Work.ContestAt(differs, tree) : default;
        var runsAgain = _ranAhead || (path is not null && rerun is not null);
        if (runsAgain && session.Rewind(savepoint, tree, lastWriteWins) is { } before)
        {
            if (path is null)
                (path, (mine, theirs)) = (before, session.Work.ContestAt(before, tree));
            runsAgain = false;
        }

        if (path is { } refused && !runsAgain)
        {
            await DropNewRecord().ConfigureAwait(false);
            Log.Refused(manager.Logger, refused.Text, theirs, mine);
            throw SessionConflictException.Changed(refused.Text);
        }

        session.Attach(newer, key);
        manager.Metrics.Rebased(runsAgain ? "rerun" : "replay");
        SessionTracing.Event("rebase");
        if (!runsAgain)
            return false;
        _ranAhead = false;
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
    private ValueTask<bool> KeepOneRotation(SessionKey key) =>
        session.Fate != SessionFate.Rotate || key == SessionKey.From(session.SessionId) ? default : KeepOneRotation();

    private async ValueTask<bool> KeepOneRotation()
    {
        await DropNewRecord().ConfigureAwait(false);
        session.Fate = SessionFate.Keep;
        return !session.HasWork;
    }

    /// <summary>The record shows that this commit was stored, although its answer was lost.</summary>
    private void Settle(SessionRecord newer)
    {
        if (session.Fate == SessionFate.Destroy)
        {
            manager.Metrics.Destroyed("request");
            Destroyed();
        }
        else if (_newId is { } id)
        {
            Regenerated(_copy!, SessionKey.From(id), id);
        }
        else if (newer.State == SessionState.Live)
        {
            _values = manager.Open(newer, session.Key);
            Accept(newer, session.Key);
        }
        else
        {
            // Stored, and the session has ended or moved since: there is nothing left to do for this request.
            session.Close(SessionEnd.Lost);
        }
    }
}
