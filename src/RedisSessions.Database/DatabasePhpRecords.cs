using System.Data;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace RedisSessions.Database;

/// <summary>
/// Records in the table of UserFrosting or Laravel: a row per session, its id as it is, the session in base64, when it was last used in seconds. The other columns are the application's,
/// and so is collecting.
/// </summary>
internal sealed class DatabasePhpRecords(DatabaseStore store, PhpRecordFormat format, ILogger logger)
{
    private readonly SessionDatabase _database = store.Database;

    public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var row = await store.RunAsync("read", (Records: this, key), static (state, cancellationToken) =>
            state.Records.ReadOnceAsync(state.key, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (row is not { } found || found.IsOver(store.Now, idleTimeout))
            return null;
        // Once in a tenth of the idle time is enough.
        if (found.Record.State == SessionState.Live && store.Now - found.UsedAt > (found.Record.IdleTimeout ?? idleTimeout) / 10)
            await SlideAsync(key, cancellationToken).ConfigureAwait(false);
        return found.Record;
    }

    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        store.RunAsync("commit", (Records: this, Sending: new Sending<Commit>(new Commit(key, expected, record, idleTimeout))),
            static (state, cancellationToken) => state.Records.CommitOnceAsync(state.Sending, cancellationToken), cancellationToken);

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        store.RunAsync("delete", (Records: this, key), static async (state, cancellationToken) =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            return await state.Records.ChangeAsync(state.Records._database.Statements.Delete, [("@id", Id(state.key))], CancellationToken.None).ConfigureAwait(false) > 0;
        }, cancellationToken);

    /// <summary>A session that cannot be slid can still be read, so this fails nobody; and it is not tried twice, because somebody waits for what was read.</summary>
    private async ValueTask SlideAsync(SessionKey key, CancellationToken cancellationToken)
    {
        try
        {
            await ChangeAsync(_database.Statements.PhpSlide, Row(key), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (StoreFailure.Is(e))
        {
            Log.NotSlid(logger, e.GetType().Name);
        }
    }

    private async ValueTask<CommitResult> CommitOnceAsync(Sending<Commit> sending, CancellationToken cancellationToken)
    {
        var (commit, mayHaveBeenSent, creates) = (sending.What, sending.Sent, sending.What.Expected == SessionVersion.None);
        for (var ask = 1; ; ask++)
        {
            var row = await ReadOnceAsync(commit.Key, sending.Cancellable(cancellationToken)).ConfigureAwait(false);
            var current = row is { } found && !found.IsOver(store.Now, commit.IdleTimeout) ? found.Record : null;
            if (current is null && !creates)
                return CommitResult.Gone.Instance;
            if (current is not null && (creates || current.Version != commit.Expected))
            {
                if (mayHaveBeenSent && !PhpRecordFormat.TellsWhether(commit.Record, current))
                {
                    throw new SessionStoreException("database", "commit",
                        "an answer was lost, and the session was changed by PHP since, so that it cannot be told whether this commit was stored; it was not tried again.");
                }

                return new CommitResult.Conflict(current);
            }

            var stored = Convert.ToBase64String(format.Write(commit.Key, commit.Record, row?.Stored ?? default));
            sending.Send(cancellationToken);
            if (await StoreAsync(commit.Key, row?.Payload, stored).ConfigureAwait(false))
                return CommitResult.Committed.Instance;
            // Somebody was faster within the moment: this one was not stored.
            if (ask == DatabaseStore.Asks)
                throw new SessionStoreException("database", "commit", "others keep changing the session between comparing and storing; nothing was stored.");
        }
    }

    private async ValueTask<bool> StoreAsync(SessionKey key, string? there, string payload)
    {
        (string, object?)[] row = [.. Row(key), ("@payload", payload)];
        if (there is not null)
            return await ChangeAsync(_database.Statements.PhpReplace, [.. row, ("@current", there)], CancellationToken.None).ConfigureAwait(false) > 0;
        using var turn = await _database.EnterAsync(CancellationToken.None).ConfigureAwait(false);
        var connection = await _database.OpenAsync(CancellationToken.None).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        return (await _database.AskAsync(connection, _database.Statements.PhpCreate, row).ConfigureAwait(false)).Done;
    }

    private async ValueTask<Found?> ReadOnceAsync(SessionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        var command = _database.Command(connection, _database.Statements.PhpRead, [("@id", Id(key))]);
        await using var __ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken).ConfigureAwait(false);
        await using var ___ = reader.ConfigureAwait(false);
        if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            return null;
        var payload = reader.GetString(0);
        var bytes = new byte[payload.Length];
        if (!Convert.TryFromBase64String(payload, bytes, out var length))
            throw new FormatException("the payload of the row is no base64, so this is no session of UserFrosting or Laravel");
        var used = DateTimeOffset.FromUnixTimeSeconds(Convert.ToInt64(reader.GetValue(1), CultureInfo.InvariantCulture));
        return new Found(format.Read(key, bytes.AsMemory(0, length), store.Now), payload, bytes.AsMemory(0, length), used);
    }

    private async ValueTask<int> ChangeAsync(string statement, (string Name, object? Value)[] parameters, CancellationToken cancellationToken)
    {
        using var turn = await _database.EnterAsync(cancellationToken).ConfigureAwait(false);
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        return await _database.ExecuteAsync(connection, statement, parameters, CancellationToken.None).ConfigureAwait(false);
    }

    private (string Name, object? Value)[] Row(SessionKey key) => [("@id", Id(key)), ("@now", store.Now.ToUnixTimeSeconds())];

    private static string Id(SessionKey key) => key.TryGetId(out var id) ? id.Value : throw new InvalidOperationException(
        "This session's row is named by its id (Sessions:Database:Layout), and the key gives none away: parse ids with SessionManager.IdFormat.");

    private sealed record Commit(SessionKey Key, SessionVersion Expected, SessionRecord Record, TimeSpan IdleTimeout);

    /// <summary>A row, collected or not.</summary>
    private readonly record struct Found(SessionRecord Record, string Payload, ReadOnlyMemory<byte> Stored, DateTimeOffset UsedAt)
    {
        public bool IsOver(DateTimeOffset now, TimeSpan idleTimeout) => Record.AbsoluteDeadline <= now || now - UsedAt >= (Record.IdleTimeout ?? idleTimeout);
    }
}
