using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// Leases in Redis: a string with the owner's name, <c>{prefix}lease:{key}</c>, that ends by itself. Everything is safe to send again, because the owner is named.
/// </summary>
/// <param name="store">The way to Redis.</param>
/// <param name="messages">That a lease was given back.</param>
/// <param name="isPhpLock">Whether a lease is the lock that PHP's requests take, so that they wait for an exclusive one as it does for them.</param>
internal sealed class RedisSessionLeases(RedisStore store, LeaseMessages messages, bool isPhpLock) : IDisposable
{
    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        store.RunAsync("acquire", (Keys: Keys(key), Values: Values(lease)), static async (state, attempt) =>
        {
            var left = (long)await RedisScripts.AcquireLease.RunAsync(attempt, state.Keys, state.Values).ConfigureAwait(false);
            return left == 0 ? (TimeSpan?)null : TimeSpan.FromMilliseconds(left);
        }, cancellationToken);

    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        store.RunAsync("renew", (Keys: Keys(key), Values: Values(lease)), static async (state, attempt) =>
        {
            return (bool)await RedisScripts.RenewLease.RunAsync(attempt, state.Keys, state.Values).ConfigureAwait(false);
        }, cancellationToken);

    public async ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        await store.RunToTheEndAsync("release", (Messages: messages, Session: key, Keys: Keys(key), Owner: Owner(lease)), static async (state, attempt) =>
        {
            var released = (bool)await RedisScripts.ReleaseLease.RunAsync(attempt, state.Keys, [state.Owner]).ConfigureAwait(false);
            // When an answer was lost, the lease may have been given back by the try before.
            if (released || attempt.MayBeApplied)
                await state.Messages.SendAsync(attempt.Database, state.Session).ConfigureAwait(false);
            return released;
        }, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken) =>
        await messages.WatchAsync(key, released, cancellationToken).ConfigureAwait(false);

    public void Dispose() => messages.Dispose();

    private RedisKey[] Keys(SessionKey key) => [store.Key(isPhpLock ? RedisPhpRecords.LockName(key) : "lease:" + key.Value)];

    private string Owner(SessionLease lease) => isPhpLock ? RedisPhpRecords.OwnerPrefix + lease.Owner : lease.Owner;

    private RedisValue[] Values(SessionLease lease)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return [Owner(lease), (long)Math.Ceiling(lease.Duration.TotalMilliseconds)];
    }
}
