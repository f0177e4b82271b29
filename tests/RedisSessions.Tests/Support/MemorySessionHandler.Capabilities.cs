namespace RedisSessions.Tests.Support;

internal sealed partial class MemorySessionHandler : ISessionLeases, ISessionIndex
{
    private readonly Dictionary<SessionKey, (string Owner, DateTimeOffset Until)> _leases = [];
    private readonly Dictionary<SessionKey, Action> _watches = [];
    private readonly Dictionary<string, HashSet<SessionKey>> _users = [];

    /// <summary>Whether this store tells those who watch; if not, they have to ask again.</summary>
    public bool SendsMessages { get; set; } = true;

    /// <summary>How often a lease was asked for, taken or not.</summary>
    public int Acquires { get; private set; }

    /// <summary>Who has the lease of a session now.</summary>
    public string? Owner(SessionKey key)
    {
        lock (_lock)
            return _leases.TryGetValue(key, out var lease) && lease.Until > time.GetUtcNow() ? lease.Owner : null;
    }

    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            Acquires++;
            if (Owner(key) is { } other && other != lease.Owner)
                return new(_leases[key].Until - time.GetUtcNow());
            _leases[key] = (lease.Owner, time.GetUtcNow() + lease.Duration);
            return new((TimeSpan?)null);
        }
    }

    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (Owner(key) != lease.Owner)
                return new(false);
            _leases[key] = (lease.Owner, time.GetUtcNow() + lease.Duration);
            return new(true);
        }
    }

    public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Action? watch = null;
        lock (_lock)
        {
            if (Owner(key) == lease.Owner && _leases.Remove(key))
                watch = _watches.GetValueOrDefault(key);
        }

        watch?.Invoke();
        return ValueTask.CompletedTask;
    }

    public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!SendsMessages)
            return new((IDisposable?)null);
        // A delegate of its own for each watch: taking one away must not take another one with the same callback.
        Action mine = new Watch(released).Ring;
        lock (_lock)
            _watches[key] = _watches.GetValueOrDefault(key) + mine;
        return new(new Ending(() =>
        {
            lock (_lock)
            {
                if (_watches.GetValueOrDefault(key) - mine is { } others)
                    _watches[key] = others;
                else
                    _watches.Remove(key);
            }
        }));
    }

    public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var keys = _users.GetValueOrDefault(userId) ?? [];
            return new([.. keys.Where(key => Find(key) is not null).Select(key => new IndexedSession(key, Parse(_records[key].Bytes, "find"), _records[key].Deadline))]);
        }
    }

    private void Index(string userId, SessionKey key)
    {
        if (!_users.TryGetValue(userId, out var keys))
            _users.Add(userId, keys = []);
        keys.Add(key);
    }

    private sealed class Watch(Action released)
    {
        public void Ring() => released();
    }

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
