using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RedisSessions.Redis;
using StackExchange.Redis;

namespace RedisSessions;

/// <summary>
/// Records in Redis: one string per session, <c>{prefix}{key}</c>. Reading is one GETEX, committing is one script. Redis expires by itself.
/// </summary>
internal sealed class RedisSessionHandler : ISessionHandler, ISessionLeases, ISessionIndex, ISessionChanges, IDisposable
{
    private readonly RedisStore _store;
    private readonly RedisSessionLeases _leases;
    private readonly RedisUserIndex _index;
    private readonly ReplicaAcks _replicas;
    private readonly ChangeMessages _changes;

    public RedisSessionHandler(
        RedisConnection connection, RedisSelfTest selfTest, IOptions<RedisHandlerOptions> options, TimeProvider time, RedisMetrics metrics,
        ILogger<RedisSessionHandler> logger)
    {
        _store = new RedisStore(connection, selfTest, options, time, metrics, logger);
        _leases = new RedisSessionLeases(_store);
        _index = new RedisUserIndex(_store);
        _replicas = new ReplicaAcks(connection, options.Value);
        _changes = new ChangeMessages(_store, connection, time);
    }

    /// <inheritdoc/>
    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        _store.RunAsync("read", (Store: _store, Key: _store.Key(key.Value), idleTimeout), static async (state, attempt) =>
        {
            var database = attempt.Database;
            var value = await database.StringGetSetExpiryAsync(state.Key, state.idleTimeout).ConfigureAwait(false);
            if (value.IsNull)
                return null;
            var record = RecordFormat.Read((byte[])value!);
            // GETEX has moved the deadline before anybody knew the record. A closed one is not to live longer than it was made for, and one with an idle timeout
            // of its own goes by that.
            if (record.State != SessionState.Live || record.IdleTimeout is not null)
                await SlideAsync(database, state.Key, record, state.Store.Now, state.idleTimeout, CommandFlags.FireAndForget).ConfigureAwait(false);
            return record;
        }, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        // First the index: what it has too much is noticed, and what it lacks is not.
        if (record is { IndexUser: true, UserId: { } user })
            await _index.AddAsync(user, key, record.AbsoluteDeadline, cancellationToken).ConfigureAwait(false);

        var version = expected == SessionVersion.None ? [] : new byte[RecordFormat.VersionLength];
        if (version.Length > 0)
            RecordFormat.WriteVersion(expected, version);
        var milliseconds = (long)record.Lifetime(_store.Now, idleTimeout).TotalMilliseconds;
        var commit = (Store: _store, Replicas: _replicas, Keys: new[] { _store.Key(key.Value) }, Expected: expected, Record: record, idleTimeout,
            Values: _changes.AreSent
                ? new RedisValue[] { version, RecordFormat.Write(record), milliseconds, RecordFormat.VersionOffset, _changes.Channel, ChangeMessages.Message(key, record.Version) }
                : [version, RecordFormat.Write(record), milliseconds, RecordFormat.VersionOffset]);

        return await _store.RunToTheEndAsync("commit", commit, static async (commit, attempt) =>
        {
            var generation = commit.Replicas.Connection;
            var answer = await RedisScripts.Commit.RunAsync(attempt, commit.Keys, commit.Values).ConfigureAwait(false);
            if (answer.Resp2Type == ResultType.Integer)
            {
                if ((int)answer != 1)
                    return (CommitResult)CommitResult.Gone.Instance;
                if (commit.Replicas.Wanted)
                    await commit.Replicas.WaitAsync(attempt.Database, commit.Keys[0], generation).ConfigureAwait(false);
                return CommitResult.Committed.Instance;
            }

            var current = RecordFormat.Read((byte[])answer!);
            if (attempt.MayBeApplied && !current.RemembersCommitsSince(commit.Expected))
            {
                throw new SessionStoreException("redis", "commit",
                    "an answer was lost, and so many commits followed that it cannot be told whether this one was stored; it was not tried again.");
            }

            if (commit.Replicas.Wanted && commit.Record.CommitIds is [var id, ..] && current.HasCommit(id))
            {
                // Stored by the try before, over a connection of before perhaps. A write on this one comes after it, and is what the replicas are asked about.
                await SlideAsync(attempt.Database, commit.Keys[0], current, commit.Store.Now, commit.idleTimeout, CommandFlags.None).ConfigureAwait(false);
                await commit.Replicas.WaitAsync(attempt.Database, commit.Keys[0], generation).ConfigureAwait(false);
            }

            return new CommitResult.Conflict(current);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        _store.RunToTheEndAsync("delete", (Session: key, Key: _store.Key(key.Value), Changes: _changes), static (state, attempt) =>
        {
            var deleted = attempt.Database.KeyDeleteAsync(state.Key);
            // Behind it on the same connection, and mostly before its answer.
            _ = state.Changes.SendAsync(attempt.Database, state.Session, SessionVersion.None);
            return deleted;
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        _leases.TryAcquireAsync(key, lease, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => _leases.RenewAsync(key, lease, cancellationToken);

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => _leases.ReleaseAsync(key, lease, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken) =>
        _leases.WatchAsync(key, released, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken) => _index.FindAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public bool Arrive => _changes.Arrive;

    /// <inheritdoc/>
    public IDisposable Watch(Action<SessionKey, SessionVersion> changed, Action missed) => _changes.Watch(changed, missed);

    /// <inheritdoc/>
    public void Dispose() => _changes.Dispose();

    private static Task<bool> SlideAsync(IDatabase database, RedisKey key, SessionRecord record, DateTimeOffset now, TimeSpan idleTimeout, CommandFlags flags) =>
        record.State != SessionState.Live
            ? database.KeyExpireAsync(key, record.AbsoluteDeadline.UtcDateTime, flags: flags)
            : database.KeyExpireAsync(key, record.Lifetime(now, idleTimeout), flags: flags);
}
