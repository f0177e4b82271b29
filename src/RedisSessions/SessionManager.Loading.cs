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
        var record = await Store.ReadAsync(key, _options.IdleTimeout, cancellationToken).ConfigureAwait(false);
        return await FollowAsync(key, record, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<(SessionKey Key, SessionRecord? Record)> FollowAsync(SessionKey key, SessionRecord? record, CancellationToken cancellationToken)
    {
        for (var hops = 0; ; hops++)
        {
            if (record is null || record.AbsoluteDeadline <= Now)
                return (key, null);
            if (record.State != SessionState.Forward)
                return (key, record);
            if (hops == MaxForwards)
                return (key, null);
            key = Target(record, key);
            record = await Store.ReadAsync(key, _options.IdleTimeout, cancellationToken).ConfigureAwait(false);
        }
    }

    private ValueTask<Session> LoadAsync(
        SessionId id, SessionAccess access, Func<CancellationToken, ValueTask<IReadOnlyDictionary<string, byte[]>?>>? import, CancellationToken cancellationToken) =>
        Metrics.ObservesLoads || SessionTracing.IsOn
            ? ObserveAsync(id, access, import, cancellationToken)
            : FindAsync(id, access, import, cancellationToken);

    private ValueTask<Session> FindAsync(
        SessionId id, SessionAccess access, Func<CancellationToken, ValueTask<IReadOnlyDictionary<string, byte[]>?>>? import, CancellationToken cancellationToken)
    {
        if (access == SessionAccess.Exclusive || import is not null)
            return FindInTurnAsync(id, SessionKey.From(id), access, import, cancellationToken);
        if (Store.Near is not { } near)
            return FetchAsync(id, SessionKey.From(id), access, cancellationToken);
        if (near.Find(id, out var key) is not { Record: { } record } known)
            return FetchAsync(id, key, access, cancellationToken);
        known.Values ??= Open(record, key);
        return new(record.AbsoluteDeadline <= Now ? Create(access) : Live(id, key, record, known.Values, access));
    }

    // What most requests do is one read, and one thing to remember while it is under way.
    private async ValueTask<Session> FetchAsync(SessionId id, SessionKey key, SessionAccess access, CancellationToken cancellationToken)
    {
        var record = await Store.ReadAsync(key, _options.IdleTimeout, cancellationToken).ConfigureAwait(false);
        if (record is { State: SessionState.Forward })
            (key, record) = await FollowAsync(key, record, cancellationToken).ConfigureAwait(false);
        return record is null || record.AbsoluteDeadline <= Now ? Create(access) : Found(id, key, record, access);
    }

    private async ValueTask<Session> FindInTurnAsync(
        SessionId id, SessionKey key, SessionAccess access, Func<CancellationToken, ValueTask<IReadOnlyDictionary<string, byte[]>?>>? import,
        CancellationToken cancellationToken)
    {
        (key, var record, var lease) = await ReadInTurnAsync(key, access, cancellationToken).ConfigureAwait(false);
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

            var session = record is not null ? Found(id, key, record, access)
                : values is not null ? new Session(this, id, SessionTree.Of(values), access, Now) { IsImported = true }
                : Create(access);
            // Who comes with the secret of an import has no cookie of ours yet, or lost the response that brought it.
            if (import is not null && record is { State: SessionState.Live })
                session.SendCookieAtNextCommit();
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

    /// <summary>A session of a record; a new one when the record is closed.</summary>
    private Session Found(SessionId id, SessionKey key, SessionRecord record, SessionAccess access)
    {
        if (record.State == SessionState.Live)
            return Live(id, key, record, Open(record, key), access);

        var empty = Create(access);
        if (record.State == SessionState.Replaced)
        {
            Log.ReplacedIdUsed(_logger);
            empty.End = SessionEnd.Replaced;
        }

        return empty;
    }

    private Session Live(SessionId id, SessionKey key, SessionRecord record, SessionTree values, SessionAccess access)
    {
        var session = new Session(this, id, values, access, record.CreatedAt);
        session.Attach(record, key);
        session.KeepCookieAlive();
        return session;
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
