using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSessions.Database;

/// <summary>
/// Makes the table and brings it up to date, or looks whether it is. Runs at start; when the database is not there yet, before the first use of it. Several
/// instances may do so at once: the database lets one after the other, and who comes later finds it done.
/// </summary>
internal sealed class DatabaseMigrations(SessionDatabase database, IOptions<DatabaseHandlerOptions> options, TimeProvider time, ILogger<DatabaseSessionHandler> logger)
    : IHostedService
{
    // Another instance may be rewriting a large table, for which one waits longer than for a session.
    private const int TimeoutSeconds = 120;

    // A migration that was begun is not left half done by an impatient start.
    private static readonly CancellationToken Whole = CancellationToken.None;

    private readonly Lock _lock = new();
    private Task? _run;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await DoneAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (SessionStoreException e) when (e.InnerException is { } inner && database.Dialect.IsTransient(inner))
        {
            Log.NotReachableAtStart(logger, e);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Completes when the table is as this version needs it; what could not be found out is tried again for the next caller.</summary>
    public Task DoneAsync()
    {
        if (_run is { IsCompletedSuccessfully: true } done)
            return done;
        lock (_lock)
        {
            if (_run is null or { IsFaulted: true } or { IsCanceled: true })
                _run = RunAsync();
            return _run;
        }
    }

    private async Task RunAsync()
    {
        // The table is the PHP application's, and so are its migrations.
        if (options.Value.Layout != SessionLayout.Standard)
            return;
        var started = time.GetTimestamp();
        try
        {
            await StoreRetry.Create(database.Dialect, options.Value.Tries, time, logger)
                .ExecuteAsync(async _ => await MigrateAsync().ConfigureAwait(false), Whole).ConfigureAwait(false);
        }
        catch (DbException e) when (!database.Dialect.IsTransient(e))
        {
            throw new SessionStoreException("database", "start",
                $"the table '{database.Table}' could not be made or brought up to date ({e.GetType().Name}: {e.Message}). {ByHand()}", e);
        }
        catch (Exception e) when (StoreFailure.Is(e))
        {
            throw StoreFailure.From(database, "start", e, time.GetElapsedTime(started));
        }
    }

    private async Task MigrateAsync()
    {
        var connection = await database.OpenAsync(Whole).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        var newest = database.Statements.Migrations[^1].Version;
        var applied = await AppliedAsync(connection, null).ConfigureAwait(false);
        // Newer is fine: in a rolling deploy the new version migrates while the old one still runs, and migrations keep that working.
        if (applied >= newest)
            return;
        if (!options.Value.Migrate)
        {
            throw new SessionStoreException("database", "start", string.Create(CultureInfo.InvariantCulture,
                $"the table '{database.Table}' {(applied == 0 ? "or one that belongs to it is not there" : $"is at migration {applied} and this version needs {newest}")}, and Sessions:Database:Migrate is false. {ByHand()}"));
        }

        if (database.Statements.Prepare is { } prepare)
            await RunAsync(connection, null, prepare).ConfigureAwait(false);
        try
        {
            await ApplyAsync(connection).ConfigureAwait(false);
        }
        finally
        {
            // A lock that is not the transaction's ends with the connection too, but the pool may keep that.
            if (database.Statements.UnlockMigration is { } unlock && connection.State == ConnectionState.Open)
                await ScalarAsync(connection, null, unlock).ConfigureAwait(false);
        }
    }

    private async Task ApplyAsync(DbConnection connection)
    {
        var transaction = await connection.BeginTransactionAsync(Whole).ConfigureAwait(false);
        await using var _ = transaction.ConfigureAwait(false);
        if (database.Statements.LockMigration is { } wait && await ScalarAsync(connection, transaction, wait).ConfigureAwait(false) is false or 0 or 0L)
            throw new TimeoutException("another instance did not finish migrating");
        await RunAsync(connection, transaction, database.Statements.CreateMigrations).ConfigureAwait(false);
        // Again, now that nobody else can change it.
        var applied = await AppliedAsync(connection, transaction).ConfigureAwait(false);
        foreach (var migration in database.Statements.Migrations.Where(migration => migration.Version > applied))
        {
            await RunAsync(connection, transaction, migration.Text).ConfigureAwait(false);
            await RunAsync(connection, transaction, database.Statements.Record(migration.Version)).ConfigureAwait(false);
            Log.Migrated(logger, migration.Version, database.Table);
        }

        await transaction.CommitAsync(Whole).ConfigureAwait(false);
    }

    /// <summary>The newest migration that was applied; 0 when one of the three tables is missing, whatever the others say: migrations do no harm twice.</summary>
    private async Task<int> AppliedAsync(DbConnection connection, DbTransaction? transaction)
    {
        var tables = await ScalarAsync(connection, transaction, database.Statements.Exists).ConfigureAwait(false);
        if (Convert.ToInt32(tables, CultureInfo.InvariantCulture) < 3)
            return 0;
        var applied = await ScalarAsync(connection, transaction, database.Statements.Applied).ConfigureAwait(false);
        return applied is null or DBNull ? 0 : Convert.ToInt32(applied, CultureInfo.InvariantCulture);
    }

    private string ByHand() =>
        $"Let this application create tables and set Sessions:Database:Migrate to true, or have somebody who may run the script that SqlDialect.{database.Dialect.Property}.MigrationScript(\"{database.Table}\") returns.";

    private async Task RunAsync(DbConnection connection, DbTransaction? transaction, string text)
    {
        var command = Command(connection, transaction, text);
        await using (command.ConfigureAwait(false))
            await command.ExecuteNonQueryAsync(Whole).ConfigureAwait(false);
    }

    private async Task<object?> ScalarAsync(DbConnection connection, DbTransaction? transaction, string text)
    {
        var command = Command(connection, transaction, text);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteScalarAsync(Whole).ConfigureAwait(false);
    }

    private DbCommand Command(DbConnection connection, DbTransaction? transaction, string text)
    {
        var command = database.Command(connection, text, []);
        command.Transaction = transaction;
        command.CommandTimeout = TimeoutSeconds;
        return command;
    }
}
