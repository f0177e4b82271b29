namespace RedisSessions;

/// <summary>
/// A handler whose store keeps leases implements this too; it is what <see cref="SessionAccess.Exclusive"/> rests on. A lease is a courtesy among requests and
/// ends by itself; safety is the version, which a commit compares whether anybody holds a lease or not.
/// </summary>
/// <remarks>
/// Within a process the engine lets one request at a time ask for the lease of a session, so a store sees one asker per process. Leases say nothing about
/// records: taking one makes no record, and a record may end under it.
/// </remarks>
public interface ISessionLeases
{
    /// <summary>Takes the lease of a session if nobody has it, or if the time of whoever had it is up. Atomic.</summary>
    /// <param name="key">The session's name in the store.</param>
    /// <param name="lease">Who takes it, and for how long from now.</param>
    /// <param name="cancellationToken">Gives up waiting. Whether the lease was taken is then unknown; it ends by itself.</param>
    /// <returns>Null when the lease is the caller's, also when it was before; else how long the other one's lasts if it is neither renewed nor released.</returns>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken);

    /// <summary>Lets a lease last its whole time from now again.</summary>
    /// <returns>False when it is not the caller's any more, and it stays so.</returns>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken);

    /// <summary>Gives a lease back and wakes those who watch for it. A lease that is not the caller's any more is left alone.</summary>
    /// <exception cref="SessionStoreException">The store failed. The lease ends by itself.</exception>
    ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken);

    /// <summary>
    /// Calls back whenever the lease of a session was given back by any process, from the moment this completes until what it returns is disposed. A message may
    /// get lost, so nobody relies on it alone.
    /// </summary>
    /// <param name="key">The session's name in the store.</param>
    /// <param name="released">Called on any thread, quickly and without throwing.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>Ends the watch; null when this store sends no messages, and one has to ask again now and then.</returns>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken);
}

/// <summary>One request's lease of one session.</summary>
/// <param name="Owner">Names the request: 128 random bits as text, letters and digits only. A lease is renewed and given back by this name alone.</param>
/// <param name="Duration">How long it lasts from each acquiring or renewing on; 1 second to 5 minutes.</param>
public sealed record SessionLease(string Owner, TimeSpan Duration);
