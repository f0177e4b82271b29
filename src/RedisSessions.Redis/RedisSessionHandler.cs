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
    private readonly RedisConnection _connection;
    private readonly RedisUserIndex _index;
    private readonly ReplicaAcks _replicas;
    private readonly ChangeMessages _changes;
    private readonly TimeSpan _touchInterval;

    // Null when every read moves the deadline.
    private readonly RecentTouches? _touches;

    // Null with records of our own.
    private readonly RedisPhpRecords? _php;

    public RedisSessionHandler(
        RedisConnection connection, RedisSelfTest selfTest, IOptions<RedisHandlerOptions> options, IOptions<RedisSessionsOptions> sessions, TimeProvider time, RedisMetrics metrics,
        ILogger<RedisSessionHandler> logger)
    {
        _connection = connection;
        _store = new RedisStore(connection, selfTest, options, time, metrics, logger);
        IdFormat = PhpRecordFormat.IdsOf(options.Value.Layout);
        if (options.Value.PhpFormatInUse is { } format)
            _php = new RedisPhpRecords(_store, new PhpRecordFormat(format, sessions.Value.AbsoluteTimeout), options.Value, time);
        _leases = new RedisSessionLeases(_store, new LeaseMessages(_store, connection, time), isPhpLock: _php is not null && options.Value.PhpLock);
        _touchInterval = options.Value.TouchInterval;
        if (_touchInterval > TimeSpan.Zero)
            _touches = new RecentTouches(_touchInterval, time);
        _index = new RedisUserIndex(_store, _touchInterval);
        _replicas = new ReplicaAcks(connection, options.Value);
        _changes = new ChangeMessages(_store, connection, time);
    }

    /// <inheritdoc/>
    public SessionIdFormat IdFormat { get; }

    /// <inheritdoc/>
    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        _php is not null ? _php.ReadAsync(key, idleTimeout, cancellationToken) : _store.RunAsync(
        "read",
        (Handler: this, Session: key, Key: _store.Key(key.Value), idleTimeout, _connection.Generation, IsTouch: _touches?.Contains(key, _connection.Generation) != true),
        static (read, attempt) => read.IsTouch
            ? attempt.Database.StringGetSetExpiryAsync(read.Key, read.idleTimeout + read.Handler._touchInterval)
            : attempt.Database.StringGetAsync(read.Key),
        static (read, attempt, value) =>
        {
            if (value.IsNull)
                return null;
            var record = RecordFormat.Read((byte[])value!);
            // GETEX has moved the deadline before anybody knew the record. A closed one is not to live longer than it was made for, and one with an idle timeout
            // of its own goes by that, whether it was touched or not.
            if (record.State != SessionState.Live || record.IdleTimeout is not null)
                _ = SlideAsync(attempt.Database, read.Key, record, read.Handler._store.Now, read.idleTimeout, CommandFlags.FireAndForget);
            else if (read.IsTouch)
                read.Handler._touches?.Add(read.Session, read.Generation);
            return record;
        },
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (_php is not null)
            return _php.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
        // First the index: what it has too much is noticed, and what it lacks is not.
        return record is { IndexUser: true, UserId: { } user }
            ? IndexAndStoreAsync(user, key, expected, record, idleTimeout, cancellationToken)
            : StoreAsync(key, expected, record, idleTimeout, cancellationToken);
    }

    private async ValueTask<CommitResult> IndexAndStoreAsync(
        string user, SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        await _index.AddAsync(user, key, record.AbsoluteDeadline, cancellationToken).ConfigureAwait(false);
        return await StoreAsync(key, expected, record, idleTimeout, cancellationToken).ConfigureAwait(false);
    }

    private ValueTask<CommitResult> StoreAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var commit = new RedisCommit(_store.Key(key.Value), expected, record, record.Lifetime(_store.Now, Stay(record, idleTimeout)), _changes.AreSent ? _changes.Told(key, record.Version) : null);
        return _replicas.Wanted
            ? _store.RunToTheEndAsync(
                "commit", (Commit: commit, Handler: this, idleTimeout), static (all, attempt) => all.Handler.RunAndWaitAsync(all.Commit, all.idleTimeout, attempt), cancellationToken)
            : _store.RunToTheEndAsync(
                "commit", commit, static (commit, attempt) => commit.RunAsync(attempt), static (commit, attempt, answer) => commit.Read(attempt, answer), cancellationToken);
    }

    /// <summary>Stored is what the replicas have too.</summary>
    private async Task<CommitResult> RunAndWaitAsync(RedisCommit commit, TimeSpan idleTimeout, RedisTry attempt)
    {
        var generation = _replicas.Generation;
        var result = commit.Read(attempt, await commit.RunAsync(attempt).ConfigureAwait(false));
        if (result is CommitResult.Conflict { Current: var current } && commit.IsIn(current))
        {
            // Stored by the try before, over a connection of before perhaps. A write on this one comes after it, and is what the replicas are asked about.
            await SlideAsync(attempt.Database, commit.Key, current, _store.Now, Stay(current, idleTimeout), CommandFlags.None).ConfigureAwait(false);
            await _replicas.WaitAsync(attempt.Database, commit.Key, generation).ConfigureAwait(false);
        }
        else if (result is CommitResult.Committed)
        {
            await _replicas.WaitAsync(attempt.Database, commit.Key, generation).ConfigureAwait(false);
        }

        return result;
    }

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        _php is not null ? _php.DeleteAsync(key, cancellationToken) : _store.RunToTheEndAsync("delete", (Session: key, Key: _store.Key(key.Value), Changes: _changes), static (state, attempt) =>
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
        // PHP sends no messages; without a watch the lock is asked for often.
        _php is null ? _leases.WatchAsync(key, released, cancellationToken) : default;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken) => _php is null
        ? _index.FindAsync(userId, cancellationToken)
        : throw new InvalidOperationException("The sessions of a user cannot be found where PHP's records are stored (Sessions:Redis:Layout): there is no index that PHP would keep.");

    /// <inheritdoc/>
    public bool Arrive => _changes.Arrive;

    /// <inheritdoc/>
    public IDisposable Watch(Action<SessionKey, SessionVersion> changed, Action missed) => _changes.Watch(changed, missed);

    /// <inheritdoc/>
    public void Dispose()
    {
        // The container knows the handler under two names, and ends it under both.
        _changes.Dispose();
        _leases.Dispose();
    }

    // As long as a read may leave the deadline where it is, the session lives longer: it is there for the idle timeout at least, counted from its last request.
    private TimeSpan Stay(SessionRecord record, TimeSpan idleTimeout) => record.State == SessionState.Live ? idleTimeout + _touchInterval : idleTimeout;

    internal static Task<bool> SlideAsync(IDatabase database, RedisKey key, SessionRecord record, DateTimeOffset now, TimeSpan idleTimeout, CommandFlags flags) =>
        record.State != SessionState.Live
            ? database.KeyExpireAsync(key, record.AbsoluteDeadline.UtcDateTime, flags: flags)
            : database.KeyExpireAsync(key, record.Lifetime(now, idleTimeout), flags: flags);
}
