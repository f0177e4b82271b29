namespace RedisSessions.Consistency.Simulation;

/// <summary>
/// The store behind the network: records as bytes, compare-and-swap, deadlines by the store's clock, leases, messages. It keeps a
/// journal, so
/// that what was stored can be undone as a failover to a replica that lags undoes it.
/// </summary>
internal sealed class SimulatedStore(string name, Scheduler scheduler, StoreBug bug, Draws draws)
{
    private readonly Dictionary<SessionKey, Entry> _records = [];
    private readonly List<(SessionKey Key, Entry? Before)> _journal = [];
    private readonly Dictionary<SessionKey, (string Owner, long Until)> _leases = [];
    private readonly List<(int Sequence, Action Acknowledge)> _unreplicated = [];
    private int _replicated;
    private long _lagsUntil;

    public string Name => name;

    /// <summary>It cannot be reached.</summary>
    public bool IsAway { get; set; }

    /// <summary>It refuses whatever grows; ending and deleting go on.</summary>
    public bool IsFull { get; set; }

    /// <summary>A commit is acknowledged when a replica has it; a failover takes back all others.</summary>
    public bool HasReplica { get; init; }

    /// <summary>Tells of each change of a record that was there before.</summary>
    public event Action<SessionKey, SessionVersion>? Changed;

    public event Action<SessionKey>? LeaseReleased;

    public SessionRecord? Read(SessionKey key, Func<SessionRecord, TimeSpan> lifetime)
    {
        if (bug == StoreBug.MixesKeys && _records.Count > 1 && draws.Chance(0.05))
            key = _records.Keys.ElementAt(draws.Below(_records.Count));
        if (Find(key) is not { } entry)
            return null;
        var record = RecordFormat.Read(entry.Bytes);
        if (record.State == SessionState.Live)
            _records[key] = entry with { Expires = scheduler.Now + (long)lifetime(record).TotalMicroseconds };
        return bug == StoreBug.StaleRead && draws.Chance(0.1) ? RecordFormat.Read(entry.Before ?? entry.Bytes) : record;
    }

    /// <summary>Stores a record if the expected version is there.</summary>
    /// <returns>What to answer, and the place in the journal that a replica must have before it is answered.</returns>
    public (CommitResult Result, int Sequence) Commit(SessionKey key, SessionVersion expected, byte[] bytes, TimeSpan lifetime)
    {
        var there = Find(key);
        var current = there is { } found ? RecordFormat.Read(found.Bytes) : null;
        var refusal = current switch
        {
            null when expected != SessionVersion.None => CommitResult.Gone.Instance,
            not null when !IsExpected(current.Version, expected) && !Overwrites(expected, current) => new CommitResult.Conflict(current),
            _ => (CommitResult?)null,
        };
        if (refusal is CommitResult.Conflict && bug == StoreBug.StaleConflict)
            refusal = new CommitResult.Conflict(RecordFormat.Read(there!.Value.Before ?? there.Value.Bytes));
        if (refusal is not null && !(bug == StoreBug.StoresWhatItRefuses && draws.Chance(0.3)))
            return (refusal, IsOwn(current, bytes) ? _journal.Count : 0);

        var record = RecordFormat.Read(bytes);
        if (IsFull && record.State == SessionState.Live && bytes.Length > (there?.Bytes.Length ?? 0))
            throw new SessionStoreException(name, "commit", "out of memory");
        if (bug != StoreBug.AcknowledgesAndDrops || !draws.Chance(0.05))
            Put(key, record, bytes, there, lifetime);
        return (refusal ?? CommitResult.Committed.Instance, _journal.Count);
    }

    public (bool WasThere, int Sequence) Delete(SessionKey key)
    {
        if (Find(key) is not { } there)
            return (false, 0);
        Write(key, there, null);
        Changed?.Invoke(key, SessionVersion.None);
        return (true, _journal.Count);
    }

    /// <summary>Calls back when a replica has everything up to a place in the journal; never, if a failover comes first.</summary>
    public void WhenReplicated(int sequence, Action acknowledge)
    {
        if (!HasReplica || sequence <= _replicated)
            acknowledge();
        else
            _unreplicated.Add((sequence, acknowledge));
    }

    /// <summary>The replica gets nothing for a while.</summary>
    public void Lag(long microseconds) => _lagsUntil = scheduler.Now + microseconds;

    /// <summary>The replica takes over: what it does not have is undone, and nobody is told about it.</summary>
    /// <returns>How many changes were undone.</returns>
    public int FailOver()
    {
        _unreplicated.Clear();
        _lagsUntil = 0;
        return UndoTo(_replicated);
    }

    /// <summary>Undoes the last changes, acknowledged or not: a restored copy, or a failover without waiting for replicas.</summary>
    public int RollBack(int changes)
    {
        var undone = UndoTo(Math.Max(0, _journal.Count - changes));
        _replicated = Math.Min(_replicated, _journal.Count);
        return undone;
    }

    public TimeSpan? TryAcquire(SessionKey key, SessionLease lease)
    {
        if (_leases.TryGetValue(key, out var held) && held.Until > scheduler.Now && held.Owner != lease.Owner)
            return TimeSpan.FromMicroseconds(held.Until - scheduler.Now);
        _leases[key] = (lease.Owner, scheduler.Now + (long)lease.Duration.TotalMicroseconds);
        return null;
    }

    public bool Renew(SessionKey key, SessionLease lease)
    {
        if (!_leases.TryGetValue(key, out var held) || held.Owner != lease.Owner || held.Until <= scheduler.Now)
            return false;
        _leases[key] = (lease.Owner, scheduler.Now + (long)lease.Duration.TotalMicroseconds);
        return true;
    }

    public bool Release(SessionKey key, SessionLease lease)
    {
        if (!_leases.TryGetValue(key, out var held) || held.Owner != lease.Owner)
            return false;
        _leases.Remove(key);
        LeaseReleased?.Invoke(key);
        return true;
    }

    private bool IsExpected(SessionVersion there, SessionVersion expected) =>
        there == expected || (bug == StoreBug.ComparesCountsOnly && there.Count == expected.Count);

    private bool Overwrites(SessionVersion expected, SessionRecord current) =>
        bug == StoreBug.OverwritesAnyVersion
        || (bug == StoreBug.UpdateCreates && current.State != SessionState.Live)
        || (bug == StoreBug.CreateOverwrites && expected == SessionVersion.None);

    private void Put(SessionKey key, SessionRecord record, byte[] bytes, Entry? there, TimeSpan lifetime)
    {
        if (bug == StoreBug.ForgetsCommitIds)
            bytes = RecordFormat.Write(WithoutCommitIds(record));
        if (bug == StoreBug.Resurrects && record.State != SessionState.Live && there is { } alive)
            scheduler.After(draws.Between(1, 60_000_000), () => _records[key] = alive);
        var closes = bug == StoreBug.DeletesInsteadOfClosing && record.State != SessionState.Live;
        Write(key, there, closes ? null : new Entry(bytes, scheduler.Now + (long)lifetime.TotalMicroseconds, there?.Bytes));
        if (there is not null)
            Changed?.Invoke(key, record.Version);
    }

    private void Write(SessionKey key, Entry? before, Entry? after)
    {
        _journal.Add((key, before));
        if (after is { } entry)
            _records[key] = entry;
        else
            _records.Remove(key);
        if (!HasReplica)
            return;
        var (sequence, delay) = (_journal.Count, draws.Between(100, 3_000));
        scheduler.After(Math.Max(_lagsUntil - scheduler.Now, 0) + delay, () => Replicated(sequence));
    }

    private void Replicated(int sequence)
    {
        // A failover has made another history of it, or the lag began after this was written.
        if (sequence > _journal.Count)
            return;
        if (_lagsUntil > scheduler.Now)
        {
            scheduler.After(_lagsUntil - scheduler.Now + 100, () => Replicated(sequence));
            return;
        }

        _replicated = Math.Max(_replicated, sequence);
        foreach (var waiting in _unreplicated.Where(waiting => waiting.Sequence <= _replicated).ToList())
        {
            _unreplicated.Remove(waiting);
            waiting.Acknowledge();
        }
    }

    private int UndoTo(int length)
    {
        var undone = _journal.Count - length;
        for (; _journal.Count > length; _journal.RemoveAt(_journal.Count - 1))
        {
            var (key, before) = _journal[^1];
            if (before is { } entry)
                _records[key] = entry;
            else
                _records.Remove(key);
        }

        return undone;
    }

    private Entry? Find(SessionKey key) => _records.TryGetValue(key, out var entry) && entry.Expires > scheduler.Now ? entry : null;

    private static bool IsOwn(SessionRecord? current, byte[] bytes) =>
        current is not null && RecordFormat.Read(bytes).CommitIds is [var id, ..] && current.HasCommit(id);

    private static SessionRecord WithoutCommitIds(SessionRecord record) => new()
    {
        Version = record.Version,
        State = record.State,
        CreatedAt = record.CreatedAt,
        AbsoluteDeadline = record.AbsoluteDeadline,
        IdleTimeout = record.IdleTimeout,
        PayloadFormat = record.PayloadFormat,
        Payload = record.Payload,
    };

    /// <param name="Bytes">The record.</param>
    /// <param name="Expires">When it is not there any more, in microseconds.</param>
    /// <param name="Before">What it has replaced; for planted bugs.</param>
    private readonly record struct Entry(byte[] Bytes, long Expires, byte[]? Before = null);
}
