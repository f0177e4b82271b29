namespace RedisSessions.Consistency.Simulation;

/// <summary>The same with leases and with messages of changes, both over the network of the process.</summary>
internal class CapableLink(SimulatedProcess process, SimulatedStore store) : StoreLink(process, store), ISessionLeases, ISessionChanges
{
    private readonly SimulatedProcess _process = process;
    private readonly SimulatedStore _store = store;
    private long _lastMessage;

    public bool Arrive => true;

    public IDisposable Watch(Action<SessionKey, SessionVersion> changed, Action missed)
    {
        _store.Changed += Deliver;
        return new Watching(() => _store.Changed -= Deliver);

        void Deliver(SessionKey key, SessionVersion version) => Later(inOrder: true, () => changed(key, version));
    }

    public async ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        await AskAsync("lease", () => _store.TryAcquire(key, lease), cancellationToken);

    public async ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        await AskAsync("renew", () => _store.Renew(key, lease), cancellationToken);

    public async ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        await AskAsync("release", () => _store.Release(key, lease), cancellationToken);

    public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken)
    {
        _store.LeaseReleased += Deliver;
        return new(new Watching(() => _store.LeaseReleased -= Deliver));

        void Deliver(SessionKey free)
        {
            if (free == key)
                Later(inOrder: false, released);
        }
    }

    private void Later(bool inOrder, Action call)
    {
        var (draws, faults) = (_process.Draws, _process.Faults);
        if (draws.Chance(faults.LoseMessage))
            return;
        var due = _process.Network.Now + faults.Latency(draws);
        // One connection brings messages in the order in which they were sent.
        _lastMessage = inOrder ? Math.Max(due, _lastMessage + 1) : _lastMessage;
        _process.After((inOrder ? _lastMessage : due) - _process.Network.Now, call);
    }

    private sealed class Watching(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
