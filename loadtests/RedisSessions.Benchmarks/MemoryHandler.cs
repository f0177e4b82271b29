namespace RedisSessions.Benchmarks;

/// <summary>A store that costs next to nothing: a dictionary of records, which answers at once. What is measured over it is the engine.</summary>
internal sealed class MemoryHandler : ISessionHandler
{
    private readonly Dictionary<SessionKey, SessionRecord> _records = [];

    /// <summary>Another process commits first: what the next commit meets instead of the record that it was made from.</summary>
    public SessionRecord? Newer { get; set; }

    public SessionRecord this[SessionKey key]
    {
        get => _records[key];
        set => _records[key] = value;
    }

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) => new(_records.GetValueOrDefault(key));

    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        if (Newer is { } newer)
        {
            Newer = null;
            _records[key] = newer;
        }

        if (_records.TryGetValue(key, out var current) ? current.Version != expected : expected != SessionVersion.None)
            return new(current is null ? CommitResult.Gone.Instance : new CommitResult.Conflict(current));
        _records[key] = record;
        return new(CommitResult.Committed.Instance);
    }

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => new(_records.Remove(key));
}
