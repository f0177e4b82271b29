using System.Data.Common;
using System.Globalization;
using System.Net.Sockets;

namespace RedisSessions.Database;

/// <summary>What drivers throw, as the one exception of a store: what happened, and what to do.</summary>
internal static class StoreFailure
{
    public static bool Is(Exception e) => e is DbException or TimeoutException or IOException or SocketException or FormatException or ObjectDisposedException;

    public static SessionStoreException From(SessionDatabase database, string verb, Exception e, TimeSpan elapsed) => new("database", verb, e switch
    {
        FormatException => e.Message,
        _ when database.Dialect.IsMissingTable(e) =>
            $"the table '{database.Table}' (Sessions:Database:Table) is not there. Run the migrations: start an instance with Sessions:Database:Migrate true, or run the "
            + $"script that SqlDialect.{database.Dialect.Property}.MigrationScript(\"{database.Table}\") returns; or restore the table, and its sessions go on.",
        _ when database.Dialect.IsTransient(e) => string.Create(CultureInfo.InvariantCulture,
            $"the database did not answer as it should ({Described(e)}, after {elapsed.TotalMilliseconds:F0} ms and all tries). Is it up and reachable, and does nobody hold a lock on the table '{database.Table}'?"),
        _ => string.Create(CultureInfo.InvariantCulture,
            $"the database refused ({Described(e)}, after {elapsed.TotalMilliseconds:F0} ms). Is its disk full or read-only, and may this user read, insert, update and delete in the table '{database.Table}'?"),
    }, e);

    /// <summary>The kind of error and its code; a driver's message may quote a value.</summary>
    private static string Described(Exception e) =>
        e is DbException { SqlState: { Length: > 0 } code } ? $"{e.GetType().Name}, SQLSTATE {code}" : e.GetType().Name;
}
