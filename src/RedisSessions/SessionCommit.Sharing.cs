using RedisSessions.Diagnostics;
using RedisSessions.Locking;

namespace RedisSessions;

// Several commits of one session that go to the store as one record.
internal sealed partial class SessionCommit
{
    // The turn, while it is this commit's; and the group that came with it, until it is stored or passed on.
    private CommitQueue.Turn? _turn;
    private CommitGroup? _group;

    // What the session stood on before it was made to stand on a record that is not stored yet.
    private SessionRecord? _stood;

    // Its delegate has run on what is not stored yet: what it has read is right there, and nowhere else.
    private bool _ranAhead;

    /// <summary>Moves the changes onto what those ahead have made and not stored yet; what does not go with them comes after them, once that is stored.</summary>
    /// <returns>True when this commit stands on them.</returns>
    private async ValueTask<bool> JoinAsync(CommitGroup group)
    {
        if (session.Fate == SessionFate.Keep && session.Lease is null && _met is null && group.Record.AbsoluteDeadline > manager.Now)
        {
            var tree = manager.Open(group.Record, session.Key);
            var lastWriteWins = manager.Options.OnConflict == ConflictBehavior.LastWriteWins;
            if (!_ranAhead && session.Work.RebaseOn(tree, lastWriteWins && rerun is null) is null)
            {
                StandOn(group, "replay");
                return true;
            }

            // It may have to be refused for what it read before. Whether so, is not known before what stands against it is stored.
            if (rerun is not null)
            {
                _ranAhead = true;
                if (session.Rewind(savepoint, tree, lastWriteWins) is null)
                {
                    StandOn(group, "rerun");
                    return await RunAheadAsync(group).ConfigureAwait(false);
                }
            }
        }

        await StoreAheadAsync(group).ConfigureAwait(false);
        return false;
    }

    private void StandOn(CommitGroup group, string how)
    {
        (_group, _stood) = (group, session.Base);
        session.Attach(group.Record, session.Key);
        manager.Metrics.Rebased(how);
        SessionTracing.Event("rebase");
    }

    /// <summary>Runs the delegate on what is not stored yet.</summary>
    private async ValueTask<bool> RunAheadAsync(CommitGroup group)
    {
        var run = rerun!().AsTask();
        if (run.IsCompletedSuccessfully && session.Fate == SessionFate.Keep)
        {
            session.AgeFlash();
            return true;
        }

        // It takes its time, has failed or wants more than to be stored: nobody waits for that, and what it says counts only if what it saw is stored.
        var isStored = await StoreAheadAsync(group).ConfigureAwait(false);
        await run.ConfigureAwait(isStored ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.SuppressThrowing);
        if (!isStored)
        {
            StandAlone();
            return false;
        }

        (_stood, _ranAhead) = (null, false);
        session.AgeFlash();
        return true;
    }

    /// <returns>Whether all is stored as they made it.</returns>
    private async ValueTask<bool> StoreAheadAsync(CommitGroup group)
    {
        _group = null;
        var stored = await group.StoreAsync().ConfigureAwait(false);
        _turn!.Newest = stored ?? _turn.Newest;
        return ReferenceEquals(stored, group.Record);
    }

    /// <summary>Sends a record, together with those of others if there are any: the last in line stores for all. As with <see cref="Store"/>, the answer is noted by who has it.</summary>
    private ValueTask<CommitResult> Send(SessionRecord record, SessionKey key)
    {
        var turn = _turn!;
        // A lease is for one request at a time; and after a forward this commit is about another key than the line.
        if (_group is null && (!turn.IsWaitedFor || session.Lease is not null || key != turn.Key))
            return Store(key, session.Base!.Version, record, manager.Options.IdleTimeout);
        Sends();
        var group = _group ?? new CommitGroup(manager, key, session.Base!.Version, turn.Wake);
        var answer = group.Add(record);
        if (group.IsFull || !turn.TryPass(group))
            return StoreAsync(group, answer);
        (_turn, _group) = (null, null);
        return new(answer.WaitAsync(cancellationToken));
    }

    private async ValueTask<CommitResult> StoreAsync(CommitGroup group, Task<CommitResult> answer)
    {
        await StoreAheadAsync(group).ConfigureAwait(false);
        return await answer.ConfigureAwait(false);
    }

    /// <summary>What the session was made to stand on was not stored: it stands on what it had read again.</summary>
    private void StandAlone()
    {
        if (_stood is not { } record)
            return;
        _stood = null;
        var tree = manager.Open(record, session.Key);
        if (_ranAhead)
            session.Rewind(savepoint, tree, whateverWasRead: true);
        else
            session.Work.RebaseOn(tree, whateverWasRead: true);
        session.Attach(record, session.Key);
    }
}
