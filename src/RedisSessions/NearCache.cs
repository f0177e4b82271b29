using System.Collections.Concurrent;
using RedisSessions.Diagnostics;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>
/// Live records that this process has seen a moment ago. What is in it was the store's answer within <see cref="NearCacheOptions.MaxStaleness"/>, and no older than the last message
/// about the session. Bounded by two generations: when the younger one is full or old, it takes the place of the older one, which goes as a whole.
/// </summary>
internal sealed class NearCache
{
    // What an entry takes beside its payload, roughly.
    private const int Overhead = 700, KeyOverhead = 300;

    private readonly ISessionChanges _changes;
    private readonly TimeProvider _time;
    private readonly SessionMetrics _metrics;
    private readonly TimeSpan _maxStaleness, _idleTimeout;
    private readonly long _generationBytes;
    private readonly Lock _lock = new();
    private Generations _generations;

    public NearCache(ISessionChanges changes, RedisSessionsOptions options, TimeProvider time, SessionMetrics metrics)
    {
        (_changes, _time, _metrics) = (changes, time, metrics);
        (_maxStaleness, _idleTimeout, _generationBytes) = (options.NearCache.MaxStaleness, options.IdleTimeout, options.NearCache.MaxBytes / 2);
        _generations = new Generations(0, new Generation(time.GetTimestamp()), Generation.None);
        changes.Watch(Changed, Missed);
    }

    /// <summary>When the store is asked: what it answers is as old as this.</summary>
    public readonly record struct Asked(long At, int Epoch);

    public Asked Ask() => new(_time.GetTimestamp(), Volatile.Read(ref _generations).Epoch);

    /// <summary>The record of a session and its values, if this process knows them; nobody changes either.</summary>
    public Entry? Find(SessionId id, out SessionKey key)
    {
        var generations = Volatile.Read(ref _generations);
        // The digest of an id is a good part of what a read from the process would cost.
        var isKnown = generations.TryGetKey(id, out key);
        if (!isKnown)
            key = SessionKey.From(id);
        if (!_changes.Arrive)
        {
            _metrics.NearRead("deaf");
            return null;
        }

        var entry = generations.Find(key);
        if (entry?.Record is null || _time.GetElapsedTime(entry.At) >= entry.Lasts)
        {
            _metrics.NearRead("miss");
            return null;
        }

        if (!isKnown)
            generations.Young.Know(id, key);
        _metrics.NearRead("hit");
        return entry;
    }

    /// <summary>The store has answered with this record, or has stored it.</summary>
    public void Put(SessionKey key, SessionRecord record, Asked asked)
    {
        // A record that has written its payload once has it twice.
        var size = Overhead + (record.Values is null ? 1L : 2L) * record.PayloadLength;
        var lasts = record.IdleTimeout is { } idle && idle < _idleTimeout ? _maxStaleness * (idle / _idleTimeout) : _maxStaleness;
        // Of a closed record, or one that would push out all others, it is still worth knowing that there is no older one any more.
        var entry = record.State == SessionState.Live && size <= _generationBytes / 4
            ? new Entry(record.Version, record, asked.At, lasts, size)
            : new Entry(record.Version, null, asked.At, lasts, Overhead);
        Put(key, entry, asked.Epoch);
    }

    /// <summary>There is no record any more.</summary>
    public void Forget(SessionKey key) => Changed(key, SessionVersion.None);

    // Without a record: whoever is asking the store right now may bring an older one.
    private void Changed(SessionKey key, SessionVersion version) => Put(
        key,
        new Entry(version == SessionVersion.None ? SessionVersion.FromValue(ulong.MaxValue) : version, null, _time.GetTimestamp(), _maxStaleness, Overhead),
        Volatile.Read(ref _generations).Epoch);

    private void Missed()
    {
        lock (_lock)
            Volatile.Write(ref _generations, new Generations(_generations.Epoch + 1, new Generation(_time.GetTimestamp()), Generation.None));
    }

    private void Put(SessionKey key, Entry entry, int epoch)
    {
        if (!_changes.Arrive)
            return;
        var generations = Volatile.Read(ref _generations);
        if (Volatile.Read(ref generations.Young.Bytes) > _generationBytes || _time.GetElapsedTime(generations.Young.Since) > _maxStaleness)
            generations = Turn(generations);
        // Messages may have been lost since this was asked for.
        if (generations.Epoch != epoch || (generations.Old.Entries.TryGetValue(key, out var older) && !Replaces(entry, older)))
            return;
        generations.Young.Put(key, entry, Replaces);
    }

    private bool Replaces(Entry entry, Entry other) => entry.Replaces(other, _time.GetElapsedTime(other.At, entry.At));

    private Generations Turn(Generations full)
    {
        lock (_lock)
        {
            if (ReferenceEquals(full, _generations))
                Volatile.Write(ref _generations, new Generations(full.Epoch, new Generation(_time.GetTimestamp()), full.Young));
            return _generations;
        }
    }

    /// <summary>What is known of a session. Without a record only that older versions are not to be kept.</summary>
    internal sealed class Entry(SessionVersion version, SessionRecord? record, long at, TimeSpan lasts, long size)
    {
        public SessionVersion Version => version;

        public SessionRecord? Record => record;

        public long At => at;

        public TimeSpan Lasts => lasts;

        public long Size => size;

        /// <summary>The values, checked and decrypted once.</summary>
        public SessionTree? Values { get; set; }

        /// <summary>
        /// Whether this is the better entry. The same version is newer news; a message about it is none. A lower count is taken once the other entry is too
        /// old to be used: the store may have been rolled back, and its answer wins.
        /// </summary>
        /// <param name="other">What is there.</param>
        /// <param name="later">How much later than the other this was asked for.</param>
        public bool Replaces(Entry other, TimeSpan later) =>
            version.Count > other.Version.Count || (version == other.Version && record is not null) || later >= other.Lasts;
    }

    private sealed record Generations(int Epoch, Generation Young, Generation Old)
    {
        public bool TryGetKey(SessionId id, out SessionKey key) => Young.Keys.TryGetValue(id, out key) || Old.Keys.TryGetValue(id, out key);

        public Entry? Find(SessionKey key) => Young.Entries.TryGetValue(key, out var entry) || Old.Entries.TryGetValue(key, out entry) ? entry : null;
    }

    private sealed class Generation(long since)
    {
        public static readonly Generation None = new(0);
        public long Bytes;

        public ConcurrentDictionary<SessionKey, Entry> Entries { get; } = new();

        public ConcurrentDictionary<SessionId, SessionKey> Keys { get; } = new();

        public long Since => since;

        public void Know(SessionId id, SessionKey key)
        {
            if (Keys.TryAdd(id, key))
                Interlocked.Add(ref Bytes, KeyOverhead);
        }

        public void Put(SessionKey key, Entry entry, Func<Entry, Entry, bool> replaces)
        {
            while (true)
            {
                if (!Entries.TryGetValue(key, out var there))
                {
                    if (!Entries.TryAdd(key, entry))
                        continue;
                    Interlocked.Add(ref Bytes, entry.Size);
                    return;
                }

                if (!replaces(entry, there))
                    return;
                if (!Entries.TryUpdate(key, entry, there))
                    continue;
                Interlocked.Add(ref Bytes, entry.Size - there.Size);
                return;
            }
        }
    }
}
