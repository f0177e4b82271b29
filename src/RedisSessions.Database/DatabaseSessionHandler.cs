using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using RedisSessions.Database;

namespace RedisSessions;

/// <summary>
/// Records in a database: one row per session. Reading is one SELECT, committing is one statement that compares and stores; the conflict's record comes in the
/// same trip. Time is this instance's clock, in every statement: the clocks of a farm must agree to within a fraction of the idle timeout.
/// </summary>
internal sealed class DatabaseSessionHandler : ISessionHandler, IExpiredSessions
{
    // An answer that contradicts itself is of a moment ago; it is asked for again. Once is enough, but for a row that others never stop changing.
    private const int Asks = 10;

    private const int LongestUserId = 255;

    private readonly SessionDatabase _database;
    private readonly DatabaseMigrations _migrations;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly int _batch;
    private readonly ResiliencePipeline _retry;

    public DatabaseSessionHandler(
        SessionDatabase database, DatabaseMigrations migrations, IOptions<DatabaseHandlerOptions> options, TimeProvider time, ILogger<DatabaseSessionHandler> logger)
    {
        _database = database;
        _migrations = migrations;
        _time = time;
        _logger = logger;
        _batch = options.Value.CollectBatch;
        _retry = StoreRetry.Create(database.Dialect, options.Value.Tries, time, logger);
    }

    /// <inheritdoc/>
    public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var row = await RunAsync("read", key, static (handler, key, cancellationToken) => handler.ReadOnceAsync(key, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        if (row is not { } found)
            return null;
        // Once in a tenth of the idle time is enough: a session that is used slides, and a page with twenty requests writes nothing.
        var now = _time.GetUtcNow();
        var until = Milliseconds(now + found.Record.Lifetime(now, idleTimeout));
        if (found.Record.State == SessionState.Live && until - found.IdleDeadline > (idleTimeout / 10).TotalMilliseconds)
            await SlideAsync(key, found.Record.Version, now, until, cancellationToken).ConfigureAwait(false);
        return found.Record;
    }

    /// <inheritdoc/>
    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        var now = _time.GetUtcNow();
        List<(string Name, object? Value)> row =
        [
            ("@id", key.Value),
            ("@user_id", record.UserId is { Length: <= LongestUserId } user && !user.Contains('\0', StringComparison.Ordinal) ? user : null),
            ("@version", Signed(record.Version)),
            ("@state", (long)record.State),
            ("@created_at", Milliseconds(record.CreatedAt)),
            ("@now", Milliseconds(now)),
            ("@idle_deadline", Milliseconds(now + record.Lifetime(now, idleTimeout))),
            ("@absolute_deadline", Milliseconds(record.AbsoluteDeadline)),
            ("@payload", Convert.ToBase64String(RecordFormat.Write(record))),
        ];
        if (expected != SessionVersion.None)
            row.Add(("@expected", Signed(expected)));
        return RunAsync("commit", new Sending<Commit>(new Commit(expected, [.. row])),
            static (handler, commit, cancellationToken) => handler.CommitOnceAsync(commit, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        RunAsync("delete", new Sending<SessionKey>(key), static async (handler, delete, cancellationToken) =>
        {
            using var turn = await handler._database.EnterAsync(delete.Cancellable(cancellationToken)).ConfigureAwait(false);
            var connection = await handler._database.OpenAsync(delete.Cancellable(cancellationToken)).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            delete.Send(cancellationToken);
            return await handler._database.ExecuteAsync(
                connection, handler._database.Statements.Delete, [("@id", delete.What.Value)], CancellationToken.None).ConfigureAwait(false) > 0;
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> CollectAsync(CancellationToken cancellationToken) =>
        RunAsync("collect", new ExpiredRows(_database, _time, _batch), static (_, rows, cancellationToken) => rows.CollectAsync(cancellationToken), cancellationToken);

    private async ValueTask<(SessionRecord Record, long IdleDeadline)?> ReadOnceAsync(SessionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        var command = _database.Command(connection, _database.Statements.Read, [("@id", key.Value), ("@now", Milliseconds(_time.GetUtcNow()))]);
        await using var __ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken).ConfigureAwait(false);
        await using var ___ = reader.ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? (Record(reader.GetString(0)), reader.GetInt64(1)) : null;
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
                [("@id", key.Value), ("@version", Signed(version)), ("@now", Milliseconds(now)), ("@idle_deadline", until)], cancellationToken).ConfigureAwait(false);
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
        sending.Send(cancellationToken);
        for (var ask = 1; ; ask++)
        {
            var (stored, current) = await AskAsync(connection, commit).ConfigureAwait(false);
            if (stored)
                return CommitResult.Committed.Instance;
            var creates = commit.Expected == SessionVersion.None;
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
            if (ask == Asks)
                throw new SessionStoreException("database", "commit", "others keep changing the session between comparing and answering; nothing was stored.");
        }
    }

    private async ValueTask<(bool Stored, SessionRecord? Current)> AskAsync(DbConnection connection, Commit commit)
    {
        // Not cancelled: once sent, the commit happens whether anybody waits for it or not, so its answer is waited for.
        var text = commit.Expected == SessionVersion.None ? _database.Statements.Create : _database.Statements.Replace;
        var command = _database.Command(connection, text, commit.Row);
        await using var _ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        (bool Stored, string? Current) answer = default;
        do
        {
            while (reader.FieldCount > 0 && await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                var stored = Convert.ToInt64(reader.GetValue(0), CultureInfo.InvariantCulture) > 0;
                answer = (stored, await reader.IsDBNullAsync(1, CancellationToken.None).ConfigureAwait(false) ? null : reader.GetString(1));
            }
        }
        while (await reader.NextResultAsync(CancellationToken.None).ConfigureAwait(false));
        return (answer.Stored, answer.Current is { } current ? Record(current) : null);
    }

    private async ValueTask<TResult> RunAsync<TState, TResult>(
        string verb, TState state, Func<DatabaseSessionHandler, TState, CancellationToken, ValueTask<TResult>> run, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await _migrations.DoneAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            // Each try decides itself whether it can still be cancelled: the pipeline would also give up on what has been sent.
            return await _retry.ExecuteAsync(
                static (all, _) => all.Run(all.Handler, all.State, all.Cancellation),
                (Handler: this, State: state, Run: run, Cancellation: cancellationToken),
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (StoreFailure.Is(e))
        {
            throw StoreFailure.From(_database, verb, e, _time.GetElapsedTime(started));
        }
    }

    private static SessionRecord Record(string payload)
    {
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(payload);
        }
        catch (FormatException e)
        {
            throw new FormatException("the payload of the row is no base64, so this is no session record", e);
        }

        return RecordFormat.Read(bytes);
    }

    private static long Milliseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    /// <summary>Versions are compared for equality only, so the sign they get beyond 2^63 changes nothing.</summary>
    private static long Signed(SessionVersion version) => unchecked((long)version.Value);

    /// <summary>Something through its tries: the second one knows that the first may have arrived, and can no longer be cancelled.</summary>
    private sealed class Sending<T>(T what)
    {
        public T What { get; } = what;

        public bool Sent { get; private set; }

        public CancellationToken Cancellable(CancellationToken cancellationToken) => Sent ? CancellationToken.None : cancellationToken;

        public void Send(CancellationToken cancellationToken)
        {
            Cancellable(cancellationToken).ThrowIfCancellationRequested();
            Sent = true;
        }
    }

    private sealed record Commit(SessionVersion Expected, (string Name, object? Value)[] Row);
}
