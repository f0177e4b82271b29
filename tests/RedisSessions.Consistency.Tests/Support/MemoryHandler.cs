namespace RedisSessions.Consistency.Tests.Support;

/// <summary>Records in memory, by the text of <see cref="ISessionHandler"/>; nothing expires.</summary>
internal sealed class MemoryHandler : ISessionHandler
{
    private readonly Dictionary<string, SessionRecord> _records = [];
    private readonly Lock _lock = new();

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        lock (_lock)
            return new(_records.GetValueOrDefault(key.Value));
    }

    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (_records.TryGetValue(key.Value, out var there) ? there.Version != expected : expected != SessionVersion.None)
                return new(there is null ? CommitResult.Gone.Instance : new CommitResult.Conflict(there));
            _records[key.Value] = record;
            return new(CommitResult.Committed.Instance);
        }
    }

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken)
    {
        lock (_lock)
            return new(_records.Remove(key.Value));
    }
}
