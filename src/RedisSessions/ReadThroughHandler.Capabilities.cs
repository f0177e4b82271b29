namespace RedisSessions;

// Whoever wants leases or the index asks whether a handler has them, so this one has what its stores have, and no more.
internal partial class ReadThroughHandler
{
    /// <summary>With leases if the new store keeps them, which all instances then ask; with an index if both stores have one, because a session may be in either.</summary>
    /// <exception cref="InvalidOperationException">One of the stores is shared with PHP, which would go on where its sessions have left.</exception>
    public static ReadThroughHandler Create(ISessionHandler handler, ISessionHandler old) => handler.IdFormat != SessionIdFormat.Standard || old.IdFormat != SessionIdFormat.Standard
        ? throw new InvalidOperationException(
            "Sessions:ReadThrough is set, and one of the two session handlers has the layout of a PHP application: its sessions have other ids, and PHP would not find those that have moved. Remove ReadThrough, or use the layout Standard.")
        : (handler as ISessionLeases, handler is ISessionIndex && old is ISessionIndex) switch
        {
            (null, false) => new ReadThroughHandler(handler, old),
            (null, true) => new WithIndex(handler, old),
            ({ } leases, false) => new WithLeases(handler, old, leases),
            ({ } leases, true) => new WithLeasesAndIndex(handler, old, leases),
        };

    /// <summary>The old store is asked first: what moves meanwhile is in the new one by then. Where both know a session, the new one does.</summary>
    private async ValueTask<IReadOnlyList<IndexedSession>> FindInBothAsync(string userId, CancellationToken cancellationToken)
    {
        var before = await ((ISessionIndex)_old).FindAsync(userId, cancellationToken).ConfigureAwait(false);
        var now = await ((ISessionIndex)_new).FindAsync(userId, cancellationToken).ConfigureAwait(false);
        return [.. now, .. before.ExceptBy(now.Select(found => found.Key), found => found.Key)];
    }

    private sealed class WithIndex(ISessionHandler handler, ISessionHandler old) : ReadThroughHandler(handler, old), ISessionIndex
    {
        public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken) => FindInBothAsync(userId, cancellationToken);
    }

    private class WithLeases(ISessionHandler handler, ISessionHandler old, ISessionLeases leases) : ReadThroughHandler(handler, old), ISessionLeases
    {
        public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
            leases.TryAcquireAsync(key, lease, cancellationToken);

        public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => leases.RenewAsync(key, lease, cancellationToken);

        public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => leases.ReleaseAsync(key, lease, cancellationToken);

        public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken) =>
            leases.WatchAsync(key, released, cancellationToken);
    }

    private sealed class WithLeasesAndIndex(ISessionHandler handler, ISessionHandler old, ISessionLeases leases) : WithLeases(handler, old, leases), ISessionIndex
    {
        public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken) => FindInBothAsync(userId, cancellationToken);
    }
}
