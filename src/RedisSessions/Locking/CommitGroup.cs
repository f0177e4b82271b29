namespace RedisSessions.Locking;

/// <summary>
/// Commits of one session that wait in the same line and go to the store as one. Each request makes its record on top of the one before, as if that were stored;
/// only the last record is sent, against the version that the first was made on. So all are stored or none is.
/// </summary>
internal sealed class CommitGroup(SessionManager manager, SessionKey key, SessionVersion expected, TaskCreationOptions wake) : IAsyncDisposable
{
    /// <summary>No more than a record remembers: so each of them finds itself in it, as if it had been alone.</summary>
    public const int Most = SessionRecord.MaxCommitIds;

    private readonly List<TaskCompletionSource<CommitResult>> _waiting = [];
    private bool _namesNewUser;

    /// <summary>What is stored for all, once the last one has come.</summary>
    public SessionRecord Record { get; private set; } = null!;

    public bool IsFull => _waiting.Count >= Most;

    /// <summary>Takes up a record that was made on <see cref="Record"/>.</summary>
    /// <returns>What becomes of it; fails when the store does, and then nobody knows whether it is stored.</returns>
    public Task<CommitResult> Add(SessionRecord record)
    {
        // What a record says about the index is said against the one before, which no store will see.
        _namesNewUser |= record.IndexUser;
        Record = _namesNewUser ? record.Indexed() : record;
        var answer = new TaskCompletionSource<CommitResult>(wake);
        _waiting.Add(answer);
        return answer.Task;
    }

    /// <summary>Stores it, and tells all that took part. Not with the token of one of them: the others have not given up.</summary>
    /// <returns>The newest record that is known to be stored; null when none is known.</returns>
    public async ValueTask<SessionRecord?> StoreAsync()
    {
        try
        {
            var result = await manager.Store.CommitAsync(key, expected, Record, manager.Options.IdleTimeout, CancellationToken.None).ConfigureAwait(false);
            foreach (var answer in _waiting)
                answer.SetResult(result);
            return result is CommitResult.Committed ? Record : (result as CommitResult.Conflict)?.Current;
        }
        catch (Exception e)
        {
            foreach (var answer in _waiting)
            {
                answer.SetException(e);
                // Who has stopped waiting for it is not to be missed by the process.
                _ = answer.Task.Exception;
            }

            return null;
        }
    }

    /// <summary>Nobody is left to take it on.</summary>
    public async ValueTask DisposeAsync() => await StoreAsync().ConfigureAwait(false);
}
