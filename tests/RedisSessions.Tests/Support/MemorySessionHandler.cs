namespace RedisSessions.Tests.Support;

/// <summary>
/// An honest store in memory: keeps bytes, compares versions, lets records expire. What a read slides is not cut off at the absolute
/// deadline, which a handler may do too: the manager has to look.
/// </summary>
internal sealed partial class MemorySessionHandler(TimeProvider time) : ISessionHandler
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SessionKey, (byte[] Bytes, DateTimeOffset Deadline)> _records = [];

    public int Reads { get; private set; }

    public int Commits { get; private set; }

    public int Deletes { get; private set; }

    /// <summary>How many records there are that have not expired.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _records.Values.Count(record => record.Deadline > time.GetUtcNow());
        }
    }

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            Reads++;
            if (Find(key) is not { } bytes)
                return new((SessionRecord?)null);
            var record = Parse(bytes, "read");
            var now = time.GetUtcNow();
            _records[key] = (bytes, now + (record.State == SessionState.Live ? record.IdleTimeout ?? idleTimeout : record.Lifetime(now, idleTimeout)));
            return new(record);
        }
    }

    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            Commits++;
            var current = Find(key) is { } bytes ? Parse(bytes, "commit") : null;
            if (current is null && expected != SessionVersion.None)
                return new(CommitResult.Gone.Instance);
            if (current is not null && current.Version != expected)
                return new(new CommitResult.Conflict(current));
            var now = time.GetUtcNow();
            if (record is { IndexUser: true, UserId: { } user })
                Index(user, key);
            _records[key] = (RecordFormat.Write(record), now + record.Lifetime(now, idleTimeout));
            return new(CommitResult.Committed.Instance);
        }
    }

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            Deletes++;
            return new(_records.Remove(key, out var record) && record.Deadline > time.GetUtcNow());
        }
    }

    /// <summary>What is stored, without sliding anything.</summary>
    public SessionRecord? Peek(SessionKey key)
    {
        lock (_lock)
            return Find(key) is { } bytes ? Parse(bytes, "read") : null;
    }

    /// <summary>Everything that has not expired.</summary>
    public IReadOnlyList<(SessionKey Key, SessionRecord Record)> All()
    {
        lock (_lock)
            return [.. _records.Where(pair => pair.Value.Deadline > time.GetUtcNow()).Select(pair => (pair.Key, Parse(pair.Value.Bytes, "read")))];
    }

    /// <summary>Puts bytes into the store that no handler wrote.</summary>
    public void Plant(SessionKey key, byte[] bytes)
    {
        lock (_lock)
            _records[key] = (bytes, DateTimeOffset.MaxValue);
    }

    /// <summary>The bytes that are stored.</summary>
    public byte[]? Bytes(SessionKey key)
    {
        lock (_lock)
            return Find(key);
    }

    private byte[]? Find(SessionKey key) =>
        _records.TryGetValue(key, out var record) && record.Deadline > time.GetUtcNow() ? record.Bytes : null;

    private static SessionRecord Parse(byte[] bytes, string verb)
    {
        try
        {
            return RecordFormat.Read(bytes);
        }
        catch (FormatException e)
        {
            throw new SessionStoreException("memory", verb, e.Message, e);
        }
    }
}
