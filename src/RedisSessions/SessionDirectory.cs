namespace RedisSessions;

/// <summary>The directory, once for all handlers: the index says where to look, and the records say what is so.</summary>
internal sealed class SessionDirectory(SessionManager manager) : ISessionDirectory
{
    // Sessions that move while they are being ended are looked for again. A login may move a session once in a while, not ten times in a row.
    private const int Rounds = 10;

    public async ValueTask<IReadOnlyList<SessionInfo>> ListAsync(string userId, Session? current, CancellationToken cancellationToken)
    {
        var now = manager.Now;
        return [.. (await FindAsync(userId, cancellationToken).ConfigureAwait(false))
            .Select(found => Info(found, current, now))
            .OrderByDescending(session => session.LastSeenAt)];
    }

    private SessionInfo Info(IndexedSession found, Session? current, DateTimeOffset now)
    {
        var notes = manager.NotesOf(found.Record, found.Key)!;
        return new(
            found.Key, found.Record.CreatedAt, LastSeen(found, now), notes.Agent, notes.Address, notes.SignedInAt, IsCurrent(found.Key, current));
    }

    public async ValueTask<bool> EndAsync(string userId, SessionKey key, CancellationToken cancellationToken)
    {
        var found = await FindAsync(userId, cancellationToken).ConfigureAwait(false);
        return found.Find(session => session.Key == key) is { } session && await EndAsync(userId, session.Key, session.Record, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<int> EndOthersAsync(Session current, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(current);
        return manager.UserOf(current.Work.View) is { } user ? EndAsync(user, current, cancellationToken) : ValueTask.FromResult(0);
    }

    public ValueTask<int> EndAllAsync(string userId, CancellationToken cancellationToken) => EndAsync(userId, but: null, cancellationToken);

    private async ValueTask<int> EndAsync(string userId, Session? but, CancellationToken cancellationToken)
    {
        var ended = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var others = (await FindAsync(userId, cancellationToken).ConfigureAwait(false)).FindAll(found => !IsCurrent(found.Key, but));
            if (others.Count == 0)
                break;
            foreach (var (key, record, _) in others)
                ended += await EndAsync(userId, key, record, cancellationToken).ConfigureAwait(false) ? 1 : 0;
        }

        return ended;
    }

    /// <summary>The sessions that are alive and are the user's.</summary>
    private async ValueTask<List<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        if (manager.Handler is not ISessionIndex index)
            throw new InvalidOperationException("The session handler has no index, so the sessions of a user cannot be found: implement ISessionIndex.");
        return [.. (await index.FindAsync(userId, cancellationToken).ConfigureAwait(false)).Where(found => IsOf(userId, found.Key, found.Record))];
    }

    private bool IsOf(string userId, SessionKey key, SessionRecord? record) =>
        record is { State: SessionState.Live } && record.AbsoluteDeadline > manager.Now && manager.NotesOf(record, key)?.User == userId;

    /// <summary>Ends a session, whatever else is being committed to it.</summary>
    /// <returns>Whether it was there to be ended, and is no more.</returns>
    private async ValueTask<bool> EndAsync(string userId, SessionKey key, SessionRecord record, CancellationToken cancellationToken)
    {
        var commit = CommitId.New();
        while (IsOf(userId, key, record))
        {
            var end = record.ClosedAs(SessionState.Ended, commit, manager.Now + SessionCommit.ClosedLifetime);
            var result = await manager.Store.CommitAsync(key, record.Version, end, SessionCommit.ClosedLifetime, cancellationToken).ConfigureAwait(false);
            if (result is CommitResult.Committed || (result is CommitResult.Conflict { Current: var mine } && mine.HasCommit(commit)))
            {
                manager.Metrics.Destroyed("directory");
                return true;
            }

            // Gone by itself; or somebody was faster, and what is there now is looked at again.
            if (result is not CommitResult.Conflict { Current: var newer })
                return false;
            record = newer;
        }

        return false;
    }

    private static bool IsCurrent(SessionKey key, Session? current) => current is { IsNew: false } && current.Key == key;

    private DateTimeOffset LastSeen(IndexedSession found, DateTimeOffset now)
    {
        var seen = found.IdleDeadline - (found.Record.IdleTimeout ?? manager.Options.IdleTimeout);
        // Near its end a session's deadline is the absolute one, which says nothing of when it was used.
        return seen < found.Record.CreatedAt ? found.Record.CreatedAt : seen > now ? now : seen;
    }
}
