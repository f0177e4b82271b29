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

    /// <summary>Moves the changes onto what those ahead have made and not stored yet.</summary>
    /// <returns>False when this commit does not go with others, or may not: what it has read was changed, and whether that holds is not known before it is stored.</returns>
    private bool Join(CommitGroup group)
    {
        if (session.Fate != SessionFate.Keep || session.Lease is not null || _met is not null || group.Record.AbsoluteDeadline <= manager.Now)
            return false;
        // Made on something older than this session knows, it will be refused.
        if (session.Base!.Version.Value > group.Expected.Value)
            return false;
        if (session.Work.RebaseOn(manager.Open(group.Record, session.Key), manager.Options.OnConflict == ConflictBehavior.LastWriteWins && rerun is null) is not null)
            return false;
        (_group, _stood) = (group, session.Base);
        session.Attach(group.Record, session.Key);
        manager.Metrics.Rebased("replay");
        SessionTracing.Event("rebase");
        return true;
    }

    /// <summary>Sends a record, together with those of others if there are any: the last in line stores for all. As with <see cref="Store"/>, the answer is noted by who has it.</summary>
    private ValueTask<CommitResult> Send(SessionRecord record, SessionKey key)
    {
        var turn = _turn!;
        // A lease is for one request at a time; and after a forward this commit is about another key than the line.
        if (_group is null && (!turn.IsWaitedFor || session.Lease is not null || key != turn.Key))
            return Store(key, session.Base!.Version, record, manager.Options.IdleTimeout);
        _tries++;
        session.OutcomeUnknown = true;
        var group = _group ?? new CommitGroup(manager, key, session.Base!.Version, turn.Wake);
        var answer = group.Add(record);
        if (group.IsFull || !turn.TryPass(group))
            return StoreAsync(group, answer);
        (_turn, _group) = (null, null);
        return new(answer.WaitAsync(cancellationToken));
    }

    private async ValueTask<CommitResult> StoreAsync(CommitGroup group, Task<CommitResult> answer)
    {
        _group = null;
        _turn!.Newest = await group.StoreAsync().ConfigureAwait(false) ?? _turn.Newest;
        return await answer.ConfigureAwait(false);
    }

    /// <summary>What the session was made to stand on was not stored: it stands on what it had read again.</summary>
    private void StandAlone()
    {
        if (_stood is not { } record)
            return;
        _stood = null;
        session.Work.RebaseOn(manager.Open(record, session.Key), whateverWasRead: true);
        session.Attach(record, session.Key);
    }
}
