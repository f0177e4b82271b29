using RedisSessions.TestServers;

namespace RedisSessions.Database.Tests;

/// <summary>The engines by name, for theories: <c>[MemberData(nameof(Engines.All), MemberType = typeof(Engines))]</c>.</summary>
public sealed class Engines(PostgresServerFixture postgres, MariaDbServerFixture mariaDb)
{
    public static TheoryData<string> All => ["sqlite", "postgres", "mariadb"];

    /// <summary>A new engine, with a table of its own; skips the test, by name, where there is no server.</summary>
    public Engine Create(string name) => name switch
    {
        "sqlite" => new SqliteEngine(),
        "postgres" => new PostgresEngine(postgres.Server.ConnectionString),
        _ => new MySqlEngine(mariaDb.Server.ConnectionString),
    };
}
