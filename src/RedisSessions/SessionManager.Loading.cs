using RedisSessions.Diagnostics;
using RedisSessions.Locking;
using RedisSessions.Values;

namespace RedisSessions;

// From an id to a session: forwards are followed, turns are waited for, and what is still elsewhere is fetched.
public sealed partial class SessionManager
{
    // How many forwards in a row are followed: a client that rotates on every request within the grace time, not a loop.
    private const int MaxForwards = 8;

    /// <summary>Reads a record and follows forwards; what has passed its absolute deadline is not there any more.</summary>
    internal async ValueTask<(SessionKey Key, SessionRecord? Record)> ReadAsync(SessionKey key, CancellationToken cancellationToken)
    {
        for (var hops = 0; ; hops++)
        {
            var record = await Store.ReadAsync(key, _options.IdleTimeout, cancellationToken).ConfigureAwait(false);
            if (record is null || record.AbsoluteDeadline <= Now)
                return (key, null);
            if (record.State != SessionState.Forward)
                return (key, record);
            if (hops == MaxForwards)
                return (key, null);
            key = Target(record);
        }
    }

    private ValueTask<Session> LoadAsync(
        SessionId id, SessionAccess access, Func<CancellationToken, ValueTask<IReadOnlyDictionary<string, byte[]>?>>? import, CancellationToken cancellationToken) =>
        Metrics.ObservesLoads || SessionTracing.IsOn
            ? ObserveAsync(id, access, import, cancellationToken)
            : FindAsync(id, access, import, cancellationToken);

    private async ValueTask<Session> FindAsync(
        SessionId id, SessionAccess access, Func<CancellationToken, ValueTask<IReadOnlyDictionary<string, byte[]>?>>? import, CancellationToken cancellationToken)
    {
        var (key, record, lease) = await ReadInTurnAsync(SessionKey.From(id), access, cancellationToken).ConfigureAwait(false);
        try
        {
            IReadOnlyDictionary<string, byte[]>? values = null;
            if (record is null && import is not null)
            {
                values = await import(cancellationToken).ConfigureAwait(false);
                // Not there either: another request may have brought it here, and removed it there, since we looked.
                if (values is null)
                    (key, record) = await ReadAsync(key, cancellationToken).ConfigureAwait(false);
            }

            var session = record switch
            {
                { State: SessionState.Live } => new Session(this, id, Open(record, key), access, record.CreatedAt),
                null when values is not null => new Session(this, id, SessionTree.Of(values), access, Now) { IsImported = true },
                _ => Create(access),
            };
            if (record is { State: SessionState.Live })
            {
                session.Attach(record, key);
                session.KeepCookieAlive();
                // Who comes with the secret of an import has no cookie of ours yet, or lost the response that brought it.
                if (import is not null)
                    session.SendCookieAtNextCommit();
            }
            else if (record is { State: SessionState.Replaced })
            {
                Log.ReplacedIdUsed(_logger);
                session.End = SessionEnd.Replaced;
            }

            // A session that nobody else can have the id of needs no turn.
            if (record is { State: SessionState.Live } || session.IsImported)
                (session.Lease, lease) = (lease, null);
            return session;
        }
        finally
        {
            if (lease is not null)
                await lease.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Reads a record; with exclusive access under the lease of the very session that is read, also when the id has been rotated away from it.</summary>
    private async ValueTask<(SessionKey Key, SessionRecord? Record, ExclusiveLease? Lease)> ReadInTurnAsync(
        SessionKey key, SessionAccess access, CancellationToken cancellationToken)
    {
        if (access != SessionAccess.Exclusive)
        {
            var (found, record) = await ReadAsync(key, cancellationToken).ConfigureAwait(false);
            return (found, record, null);
        }

        if (_leases is null)
            throw new InvalidOperationException($"The session handler '{_handlerName}' has no leases, so SessionAccess.Exclusive cannot be had: implement ISessionLeases, or use another access.");
        for (var hops = 0; ; hops++)
        {
            var lease = await EnterLeaseAsync(_leases, key, cancellationToken).ConfigureAwait(false);
            try
            {
                var (found, record) = await ReadAsync(key, cancellationToken).ConfigureAwait(false);
                if (found == key || record is null || hops == MaxForwards)
                {
                    var mine = lease;
                    lease = null;
                    return (found, record, mine);
                }

                key = found;
            }
            finally
            {
                if (lease is not null)
                    await lease.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
