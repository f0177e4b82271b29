using RedisSessions.Conformance;

namespace RedisSessions.Database.Tests.Conformance;

/// <summary>The whole contract, on SQLite.</summary>
public sealed class SqliteHandlerTests(SqliteFixture fixture) : SessionHandlerTests(fixture), IClassFixture<SqliteFixture>;

/// <summary>The whole contract, on PostgreSQL.</summary>
public sealed class PostgresHandlerTests(PostgresFixture fixture) : SessionHandlerTests(fixture), IClassFixture<PostgresFixture>;

/// <summary>The whole contract, on MariaDB.</summary>
public sealed class MariaDbHandlerTests(MariaDbFixture fixture) : SessionHandlerTests(fixture), IClassFixture<MariaDbFixture>;
