namespace RedisSessions.Tests.Simulation;

/// <summary>What a simulation must find when it is there.</summary>
public enum PlantedBug
{
    None,

    /// <summary>The store overwrites whatever version is there.</summary>
    NoVersionCheck,

    /// <summary>Records do not carry the ids of their commits, so a commit whose answer was lost does not find itself.</summary>
    NoCommitIds,

    /// <summary>A handler that lost an answer does not ask whether the record still remembers.</summary>
    NoMemoryCheck,

    /// <summary>What is destroyed or replaced is deleted instead of closed.</summary>
    NoClosedRecords,
}

/// <summary>A store with a bug.</summary>
internal sealed class BuggyStore(Support.MemorySessionHandler store, PlantedBug bug) : ISessionHandler
{
    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        store.ReadAsync(key, idleTimeout, cancellationToken);

    public async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        if (bug == PlantedBug.NoVersionCheck && expected != SessionVersion.None && store.Peek(key) is { } current)
            expected = current.Version;
        if (bug == PlantedBug.NoCommitIds)
            record = Without(record);
        var result = await store.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
        if (bug == PlantedBug.NoClosedRecords && record.State != SessionState.Live && result is CommitResult.Committed)
            await store.DeleteAsync(key, cancellationToken);
        return result;
    }

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => store.DeleteAsync(key, cancellationToken);

    private static SessionRecord Without(SessionRecord record) => new()
    {
        Version = record.Version,
        State = record.State,
        CreatedAt = record.CreatedAt,
        AbsoluteDeadline = record.AbsoluteDeadline,
        PayloadFormat = record.PayloadFormat,
        Payload = record.Payload,
    };
}
