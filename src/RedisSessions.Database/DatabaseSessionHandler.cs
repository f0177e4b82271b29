using System.Data;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RedisSessions.Database;

namespace RedisSessions;

/// <summary>
/// Records in a database: one row per session. Reading is one SELECT, committing is one statement that compares and stores; the conflict's record comes in the
/// same trip. Time is this instance's clock, in every statement: the clocks of a farm must agree to within a fraction of the idle timeout.
/// </summary>
internal sealed class DatabaseSessionHandler : ISessionHandler, IExpiredSessions, ISessionLeases, ISessionIndex
{
    private readonly DatabaseStore _store;
    private readonly SessionDatabase _database;
    private readonly DatabaseSessionLeases _leases;
    private readonly DatabaseUserIndex _index;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly int _batch;

    // Null with a table of our own.
    private readonly DatabasePhpRecords? _php;

    public DatabaseSessionHandler(
        SessionDatabase database, DatabaseMigrations migrations, IOptions<DatabaseHandlerOptions> options, IOptions<RedisSessionsOptions> sessions, TimeProvider time,
        ILogger<DatabaseSessionHandler> logger)
    {
        _store = new DatabaseStore(database, migrations, options, time, logger);
        _database = database;
        _leases = new DatabaseSessionLeases(_store);
        _index = new DatabaseUserIndex(_store);
        _time = time;
        _logger = logger;
        _batch = options.Value.CollectBatch;
        IdFormat = PhpRecordFormat.IdsOf(options.Value.Layout);
        if (options.Value.PhpFormatInUse is { } format)
            _php = new DatabasePhpRecords(_store, new PhpRecordFormat(format, sessions.Value.AbsoluteTimeout), logger);
    }

    /// <inheritdoc/>
    public string SystemName => _database.Dialect.SystemName;

    /// <inheritdoc/>
    public SessionIdFormat IdFormat { get; }

    /// <inheritdoc/>
    public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        if (_php is not null)
            return await _php.ReadAsync(key, idleTimeout, cancellationToken).ConfigureAwait(false);
        var row = await _store.RunAsync("read", (Handler: this, key), static (state, cancellationToken) =>
            state.Handler.ReadOnceAsync(state.key, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (row is not { } found)
            return null;
        // Once in a tenth of the idle time is enough: a session that is used slides, and a page with twenty requests writes nothing.
        var now = _time.GetUtcNow();
        var until = SessionRow.Milliseconds(now + found.Record.Lifetime(now, idleTimeout));
        var idle = found.Record.IdleTimeout ?? idleTimeout;
        if (found.Record.State == SessionState.Live && until - found.IdleDeadline > (idle / 10).TotalMilliseconds)
            await SlideAsync(key, found.Record.Version, now, until, cancellationToken).ConfigureAwait(false);
        return found.Record;
    }

    /// <inheritdoc/>
    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (_php is not null)
            return _php.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
        var now = _time.GetUtcNow();
        List<(string Name, object? Value)> row =
        [
            ("@id", key.Value),
            ("@user_id", record.UserId is { } user ? SessionRow.User(user) : null),
            ("@version", SessionRow.Signed(record.Version)),
            ("@state", (long)record.State),
            ("@created_at", SessionRow.Milliseconds(record.CreatedAt)),
            ("@now", SessionRow.Milliseconds(now)),
            ("@idle_deadline", SessionRow.Milliseconds(now + record.Lifetime(now, idleTimeout))),
            ("@absolute_deadline", SessionRow.Milliseconds(record.AbsoluteDeadline)),
            ("@payload", SessionRow.Payload(record)),
        ];
        if (expected != SessionVersion.None)
            row.Add(("@expected", SessionRow.Signed(expected)));
        return _store.RunAsync("commit", (Handler: this, Sending: new Sending<Commit>(new Commit(expected, [.. row]))),
            static (state, cancellationToken) => state.Handler.CommitOnceAsync(state.Sending, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        _php is not null ? _php.DeleteAsync(key, cancellationToken) : _store.RunAsync("delete", (Database: _database, Sending: new Sending<SessionKey>(key)), static async (state, cancellationToken) =>
        {
            var (database, delete) = state;
            using var turn = await database.EnterAsync(delete.Cancellable(cancellationToken)).ConfigureAwait(false);
            var connection = await database.OpenAsync(delete.Cancellable(cancellationToken)).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            delete.Send(cancellationToken);
            return await database.ExecuteAsync(
                connection, database.Statements.Delete, [("@id", delete.What.Value)], CancellationToken.None).ConfigureAwait(false) > 0;
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> CollectAsync(CancellationToken cancellationToken) =>
        // PHP's are collected by PHP, which knows how long they are to live there.
        _php is not null ? new(0) : _store.RunAsync("collect", new ExpiredRows(_database, _time, _batch), static (rows, cancellationToken) => rows.CollectAsync(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        _php is null ? _leases.TryAcquireAsync(key, lease, cancellationToken) : throw new InvalidOperationException(
            "SessionAccess.Exclusive cannot be had in the table of a PHP application (Sessions:Database:Layout): it has no leases, and PHP would not wait for any. Use another access, or UpdateAsync.");

    /// <inheritdoc/>
    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => _leases.RenewAsync(key, lease, cancellationToken);

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => _leases.ReleaseAsync(key, lease, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken) => _php is null
        ? _index.FindAsync(userId, cancellationToken)
        : throw new InvalidOperationException("The sessions of a user cannot be found where PHP's records are stored (Sessions:Database:Layout): there is no index that PHP would keep.");

    private async ValueTask<(SessionRecord Record, long IdleDeadline)?> ReadOnceAsync(SessionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        var command = _database.Command(connection, _database.Statements.Read, [("@id", key.Value), ("@now", SessionRow.Milliseconds(_time.GetUtcNow()))]);
        await using var __ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken).ConfigureAwait(false);
        await using var ___ = reader.ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? (SessionRow.Record(reader.GetString(0)), reader.GetInt64(1)) : null;
    }

    /// <summary>A session that cannot be slid can still be read, so this fails nobody; and it is not tried twice, because somebody waits for what was read.</summary>
    private async ValueTask SlideAsync(SessionKey key, SessionVersion version, DateTimeOffset now, long until, CancellationToken cancellationToken)
    {
        try
        {
            using var turn = await _database.EnterAsync(cancellationToken).ConfigureAwait(false);
            var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            await _database.ExecuteAsync(connection, _database.Statements.Slide,
                [("@id", key.Value), ("@version", SessionRow.Signed(version)), ("@now", SessionRow.Milliseconds(now)), ("@idle_deadline", until)],
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (StoreFailure.Is(e))
        {
            Log.NotSlid(_logger, e.GetType().Name);
        }
    }

    private async ValueTask<CommitResult> CommitOnceAsync(Sending<Commit> sending, CancellationToken cancellationToken)
    {
        using var turn = await _database.EnterAsync(sending.Cancellable(cancellationToken)).ConfigureAwait(false);
        var connection = await _database.OpenAsync(sending.Cancellable(cancellationToken)).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        var (commit, mayHaveBeenSent) = (sending.What, sending.Sent);
        var creates = commit.Expected == SessionVersion.None;
        sending.Send(cancellationToken);
        for (var ask = 1; ; ask++)
        {
            var (stored, there) = await _database.AskAsync(connection, creates ? _database.Statements.Create : _database.Statements.Replace, commit.Row).ConfigureAwait(false);
            if (stored)
                return CommitResult.Committed.Instance;
            var current = there is string payload ? SessionRow.Record(payload) : null;
            if (current is null && !creates)
                return CommitResult.Gone.Instance;
            if (current is not null && current.Version != commit.Expected)
            {
                if (mayHaveBeenSent && !current.RemembersCommitsSince(commit.Expected))
                {
                    throw new SessionStoreException("database", "commit",
                        "an answer was lost, and so many commits followed that it cannot be told whether this one was stored; it was not tried again.");
                }

                return new CommitResult.Conflict(current);
            }

            // Nothing was stored, and what would have been in the way is not there either.
            if (ask == DatabaseStore.Asks)
                throw new SessionStoreException("database", "commit", "others keep changing the session between comparing and answering; nothing was stored.");
        }
    }

    private sealed record Commit(SessionVersion Expected, (string Name, object? Value)[] Row);
}
