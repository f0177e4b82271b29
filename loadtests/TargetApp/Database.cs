using System.Data.Common;
using Microsoft.Data.Sqlite;
using MySqlConnector;
using Npgsql;
using RedisSessions;

namespace TargetApp;

/// <summary>The driver that goes with <c>Sessions:Database:Provider</c>; the library knows none.</summary>
internal static class Database
{
    /// <returns>Null when no provider is set: then there is no handler "database" here.</returns>
    public static (SqlDialect Dialect, DbDataSource Source)? Choose(IConfiguration configuration)
    {
        var connectionString = configuration["Sessions:Database:ConnectionString"]
            ?? "Data Source=sessions.db";
        return configuration["Sessions:Database:Provider"] switch
        {
            null or "" => null,
            "sqlite" => (SqlDialect.Sqlite, SqliteFactory.Instance.CreateDataSource(connectionString)),
            "postgres" => (SqlDialect.Postgres, NpgsqlDataSource.Create(connectionString)),
            "mysql" => (SqlDialect.MySql, new MySqlDataSource(connectionString)),
            var other => throw new InvalidOperationException($"Sessions:Database:Provider is \"{other}\": it must be sqlite, postgres or mysql."),
        };
    }
}
