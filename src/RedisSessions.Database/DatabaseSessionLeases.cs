using System.Globalization;

namespace RedisSessions.Database;

/// <summary>
/// Leases in a table of their own, <c>{table}_leases</c>. Taking and renewing is safe to send again, because the owner is named. No messages: databases have
/// none that all of them share.
/// </summary>
internal sealed class DatabaseSessionLeases(DatabaseStore store)
{
    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        store.RunAsync("acquire", (Leases: this, key, lease), static (state, cancellationToken) =>
            state.Leases.AcquireOnceAsync(state.key, state.lease, cancellationToken), cancellationToken);

    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        store.RunAsync("renew", (Store: store, Key: key, Lease: lease), static async (state, cancellationToken) =>
        {
            using var turn = await state.Store.Database.EnterAsync(cancellationToken).ConfigureAwait(false);
            var connection = await state.Store.Database.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            var row = Row(state.Key, state.Lease, state.Store.Now);
            return (await state.Store.Database.AskAsync(connection, state.Store.Statements.Renew, row).ConfigureAwait(false)).Done;
        }, cancellationToken);

    public async ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        await store.RunAsync("release", (Store: store, Sending: new Sending<(SessionKey Key, SessionLease Lease)>((key, lease))), static async (state, cancellationToken) =>
        {
            var (database, sending) = (state.Store.Database, state.Sending);
            using var turn = await database.EnterAsync(sending.Cancellable(cancellationToken)).ConfigureAwait(false);
            var connection = await database.OpenAsync(sending.Cancellable(cancellationToken)).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            sending.Send(cancellationToken);
            return await database.ExecuteAsync(
                connection, database.Statements.Release, [("@id", sending.What.Key.Value), ("@owner", sending.What.Lease.Owner)], CancellationToken.None).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);

    private async ValueTask<TimeSpan?> AcquireOnceAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken)
    {
        using var turn = await store.Database.EnterAsync(cancellationToken).ConfigureAwait(false);
        var connection = await store.Database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        for (var ask = 1; ; ask++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var now = store.Now;
            var (taken, there) = await store.Database.AskAsync(connection, store.Statements.Acquire, Row(key, lease, now)).ConfigureAwait(false);
            if (taken)
                return null;
            if (there is not null)
            {
                var left = Convert.ToInt64(there, CultureInfo.InvariantCulture) - SessionRow.Milliseconds(now);
                return TimeSpan.FromMilliseconds(Math.Max(left, 1));
            }

            // It is not the caller's, and nobody else's either.
            if (ask == DatabaseStore.Asks)
                throw new SessionStoreException("database", "acquire", "others keep taking the lease and giving it back between asking and answering.");
        }
    }

    private static (string Name, object? Value)[] Row(SessionKey key, SessionLease lease, DateTimeOffset now) =>
    [
        ("@id", key.Value),
        ("@owner", lease.Owner),
        ("@now", SessionRow.Milliseconds(now)),
        ("@expires_at", SessionRow.Milliseconds(now + lease.Duration)),
    ];
}
