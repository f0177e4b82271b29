namespace RedisSessions.Tests.Support;

/// <summary>The leases of a store, on the test's clock, with trouble when the test wants it.</summary>
internal sealed class TestLeases(TimeProvider time) : ISessionLeases
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SessionKey, (string Owner, DateTimeOffset Until)> _held = [];
    private readonly List<(SessionKey Key, Action Released)> _watchers = [];

    /// <summary>Every call, as "acquire", "renew", "release" or "watch".</summary>
    public List<string> Calls { get; } = [];

    /// <summary>Whether released leases are announced.</summary>
    public bool SendsMessages { get; set; } = true;

    /// <summary>Fails with this verb's name.</summary>
    public string? Fails { get; set; }

    /// <summary>Runs after a lease was taken and before anybody learns of it.</summary>
    public Action? AfterAcquiring { get; set; }

    public int Watchers
    {
        get
        {
            lock (_lock)
                return _watchers.Count;
        }
    }

    public bool IsHeld(SessionKey key)
    {
        lock (_lock)
            return _held.TryGetValue(key, out var held) && held.Until > time.GetUtcNow();
    }

    /// <summary>Another process takes the lease, also from somebody who has it.</summary>
    public SessionLease Seize(SessionKey key, TimeSpan duration)
    {
        lock (_lock)
            _held[key] = ("another", time.GetUtcNow() + duration);
        return new SessionLease("another", duration);
    }

    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken)
    {
        Called("acquire");
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_held.TryGetValue(key, out var held) && held.Until > now && held.Owner != lease.Owner)
                return new(held.Until - now);
            _held[key] = (lease.Owner, now + lease.Duration);
        }

        AfterAcquiring?.Invoke();
        cancellationToken.ThrowIfCancellationRequested();
        return default;
    }

    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken)
    {
        Called("renew");
        lock (_lock)
        {
            var mine = _held.TryGetValue(key, out var held) && held.Owner == lease.Owner && held.Until > time.GetUtcNow();
            if (mine)
                _held[key] = (lease.Owner, time.GetUtcNow() + lease.Duration);
            return new(mine);
        }
    }

    public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken)
    {
        Called("release");
        Action[] watchers = [];
        lock (_lock)
        {
            if (_held.TryGetValue(key, out var held) && held.Owner == lease.Owner)
                _held.Remove(key);
            if (SendsMessages)
                watchers = [.. _watchers.Where(watcher => watcher.Key == key).Select(watcher => watcher.Released)];
        }

        foreach (var released in watchers)
            released();
        return default;
    }

    public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken)
    {
        Called("watch");
        if (!SendsMessages)
            return default;
        var watcher = (key, released);
        lock (_lock)
            _watchers.Add(watcher);
        return new(new Watch(() =>
        {
            lock (_lock)
                _watchers.Remove(watcher);
        }));
    }

    private void Called(string verb)
    {
        lock (_lock)
            Calls.Add(verb);
        if (Fails == verb)
            throw new SessionStoreException("test", verb, "switched off by the test");
    }

    private sealed class Watch(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}

/// <summary>A handler with leases.</summary>
internal sealed class LeasedHandler(ISessionHandler store, ISessionLeases leases) : ISessionHandler, ISessionLeases
{
    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) => store.ReadAsync(key, idleTimeout, cancellationToken);

    public ValueTask<CommitResult> CommitAsync(SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        store.CommitAsync(key, expected, record, idleTimeout, cancellationToken);

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => store.DeleteAsync(key, cancellationToken);

    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => leases.TryAcquireAsync(key, lease, cancellationToken);

    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => leases.RenewAsync(key, lease, cancellationToken);

    public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => leases.ReleaseAsync(key, lease, cancellationToken);

    public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken) => leases.WatchAsync(key, released, cancellationToken);
}
