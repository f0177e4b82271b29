using System.Buffers;

namespace RedisSessions.Benchmarks;

/// <summary>
/// A store that costs next to nothing: a dictionary of records, which answers at once. Like a real one it keeps bytes of its own, two buffers that take turns; so
/// what is measured over it is the engine, and one copy of what is stored.
/// </summary>
internal sealed class MemoryHandler : ISessionHandler
{
    private readonly Dictionary<SessionKey, SessionRecord> _records = [];
    private readonly ArrayBufferWriter<byte>[] _buffers = [new(), new()];
    private int _turn;

    /// <summary>Another process commits first: what the next commit meets instead of the record that it was made from.</summary>
    public SessionRecord? Newer { get; set; }

    /// <summary>A record that stays as it is, whatever is committed after it.</summary>
    public SessionRecord this[SessionKey key]
    {
        get => RecordFormat.Read(RecordFormat.Write(_records[key]));
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
        var buffer = _buffers[_turn ^= 1];
        buffer.ResetWrittenCount();
        RecordFormat.Write(record, buffer);
        _records[key] = RecordFormat.Read(buffer.WrittenMemory);
        return new(CommitResult.Committed.Instance);
    }

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => new(_records.Remove(key));
}
