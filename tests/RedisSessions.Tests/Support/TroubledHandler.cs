namespace RedisSessions.Tests.Support;

/// <summary>One commit as it reaches a handler.</summary>
internal sealed record StoreCommit(SessionKey Key, SessionVersion Expected, SessionRecord Record);

/// <summary>
/// A handler with trouble on the way to the store: others come in between, answers get lost. After a lost answer it does what a real
/// handler does: it sends the same record again.
/// </summary>
internal sealed class TroubledHandler(ISessionHandler store) : ISessionHandler
{
    /// <summary>Every commit that was asked for, in order.</summary>
    public List<StoreCommit> Log { get; } = [];

    /// <summary>Runs before a commit reaches the store.</summary>
    public Func<StoreCommit, Task>? BeforeCommit { get; set; }

    /// <summary>Runs after the store has carried a commit out and before anybody learns of it; true: the answer is lost.</summary>
    public Func<StoreCommit, Task<bool>>? LosesAnswer { get; set; }

    /// <summary>Fails instead of sending a lost commit again.</summary>
    public bool GivesUpOnLostAnswers { get; set; }

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        store.ReadAsync(key, idleTimeout, cancellationToken);

    public async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var commit = new StoreCommit(key, expected, record);
        lock (Log)
            Log.Add(commit);
        if (BeforeCommit is { } before)
            await before(commit);
        var result = await store.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
        if (LosesAnswer is not { } loses || !await loses(commit))
            return result;
        if (GivesUpOnLostAnswers)
            throw new SessionStoreException("troubled", "commit", "the answer was lost");
        var second = await store.CommitAsync(key, expected, record, idleTimeout, CancellationToken.None);
        return second is CommitResult.Conflict { Current: var current } && !current.RemembersCommitsSince(expected)
            ? throw new SessionStoreException("troubled", "commit", "the outcome is unknown")
            : second;
    }

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => store.DeleteAsync(key, cancellationToken);

    /// <summary>Somebody does something just before the next commit reaches the store.</summary>
    public void Before(Func<Task> somebody) => BeforeCommit = _ =>
    {
        BeforeCommit = null;
        return somebody();
    };

    /// <summary>The answer of the next commit is lost, and somebody does something before it is sent again.</summary>
    public void LoseNextAnswer(Func<Task>? somebody = null) => LosesAnswer = async _ =>
    {
        LosesAnswer = null;
        await (somebody?.Invoke() ?? Task.CompletedTask);
        return true;
    };
}
