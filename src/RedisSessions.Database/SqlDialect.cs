using System.Data.Common;
using System.Net.Sockets;
using RedisSessions.Database;

namespace RedisSessions;

/// <summary>
/// What differs between databases: as data here, and as the <c>.sql</c> files in the folder of its name. The driver and its <see cref="DbDataSource"/> are the
/// application's.
/// </summary>
public sealed class SqlDialect
{
    private SqlDialect(string property)
    {
        Property = property;
        Name = property.ToLowerInvariant();
        SystemName = Name;
    }

    /// <summary>SQLite 3.35 or newer, with Microsoft.Data.Sqlite: one file for all processes of one machine. Made for WAL mode, which the migration switches on.</summary>
    public static SqlDialect Sqlite { get; } = new(nameof(Sqlite))
    {
        Quote = '"',
        OneWriter = true,
        // The driver reports no SQLSTATE, and its code only in a property of its own: 5 is SQLITE_BUSY, 6 is SQLITE_LOCKED.
        Transient = ["SQLite Error 5:", "SQLite Error 6:"],
        MissingTable = ["SQLite Error 1: 'no such table"],
    };

    /// <summary>PostgreSQL 12 or newer, with Npgsql.</summary>
    public static SqlDialect Postgres { get; } = new(nameof(Postgres))
    {
        Quote = '"',
        SystemName = "postgresql",
        // Lost connections, serialization failure, deadlock, lock not available, too many connections, shutting down, crashed, starting up.
        Transient = ["08", "40001", "40P01", "55P03", "53300", "57P01", "57P02", "57P03"],
        MissingTable = ["42P01"],
    };

    /// <summary>MySQL 8 and MariaDB 10.5, or newer, with MySqlConnector.</summary>
    public static SqlDialect MySql { get; } = new(nameof(MySql))
    {
        Quote = '`',
        // Deadlock, lost connections, interrupted (the command's time is up, or an administrator was at it). Waiting for a lock in vain has no state
        // of its own, and is what the driver calls transient.
        Transient = ["40001", "08", "70100"],
        MissingTable = ["42S02"],
    };

    /// <summary>The name: <c>sqlite</c>, <c>postgres</c> or <c>mysql</c>.</summary>
    public string Name { get; }

    /// <summary>
    /// Everything that makes the table, or brings an older one up to date, as a script for those who may not do so from the application. Running it twice does
    /// no harm.
    /// </summary>
    /// <param name="table">As in <see cref="DatabaseHandlerOptions.Table"/>.</param>
    /// <exception cref="ArgumentException">This is no name of a table.</exception>
    public string MigrationScript(string table = "sessions") =>
        DatabaseHandlerOptionsValidator.IsTable(table)
            ? new SqlStatements(this, table).Script()
            : throw new ArgumentException($"\"{table}\" is no name for a table: {DatabaseHandlerOptionsValidator.TableRule}", nameof(table));

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The property that it is reached by, for messages.</summary>
    internal string Property { get; }

    /// <summary>The database by OpenTelemetry's name. MariaDB speaks like MySQL, and is not asked which of the two it is.</summary>
    internal string SystemName { get; private init; }

    /// <summary>What stands around the name of a table.</summary>
    internal char Quote { get; private init; }

    /// <summary>Whether the database has one writer at a time; those of one process then wait in line here, instead of on each other's locks.</summary>
    internal bool OneWriter { get; init; }

    /// <summary>How the SQLSTATE, or else the message, of an error begins after which the same statement may succeed.</summary>
    private string[] Transient { get; init; } = [];

    /// <summary>How the SQLSTATE, or else the message, begins when the table is not there.</summary>
    private string[] MissingTable { get; init; } = [];

    /// <summary>Whether the same statement may succeed in a moment: by what the driver says, by its code, or by what is at the bottom of it.</summary>
    internal bool IsTransient(Exception e) =>
        e is TimeoutException or IOException or SocketException
        || (e is DbException database && (database.IsTransient || Begins(database, Transient)))
        || (e.InnerException is { } inner && IsTransient(inner));

    internal bool IsMissingTable(Exception e) => e is DbException database && Begins(database, MissingTable);

    private static bool Begins(DbException e, string[] marks)
    {
        var code = string.IsNullOrEmpty(e.SqlState) ? e.Message : e.SqlState;
        return marks.Any(mark => code.StartsWith(mark, StringComparison.Ordinal));
    }
}
