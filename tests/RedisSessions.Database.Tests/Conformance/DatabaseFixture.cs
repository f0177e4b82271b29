using RedisSessions.Conformance;
using RedisSessions.TestServers;

namespace RedisSessions.Database.Tests.Conformance;

/// <summary>The database handler over an engine: each handler with connections of its own, all over one table of this fixture.</summary>
public abstract class DatabaseFixture : HandlerFixture
{
    private readonly Lazy<Engine> _engine;

    protected DatabaseFixture() => _engine = new Lazy<Engine>(CreateEngine);

    public override string HandlerName => "database";

    public override ValueTask<ISessionHandler> CreateHandlerAsync() => new(_engine.Value.Handler());

    public override async ValueTask PlantAsync(SessionKey key, byte[] bytes)
    {
        var now = DateTimeOffset.UtcNow;
        // The table is there once the handler has been used.
        await (await CreateHandlerAsync()).ReadAsync(SessionKey.From(SessionId.New()), TimeSpan.FromMinutes(1), default);
        if (await _engine.Value.ExecuteAsync("UPDATE {table} SET payload = @payload WHERE id = @id", ("@id", key.Value), ("@payload", Convert.ToBase64String(bytes))) > 0)
            return;
        await _engine.Value.ExecuteAsync(
            "INSERT INTO {table} (id, user_id, version, state, created_at, last_activity, idle_deadline, absolute_deadline, payload) "
            + "VALUES (@id, NULL, 5, 0, @now, @now, @deadline, @deadline, @payload)",
            ("@id", key.Value), ("@now", now.ToUnixTimeMilliseconds()), ("@deadline", now.AddMinutes(5).ToUnixTimeMilliseconds()),
            ("@payload", Convert.ToBase64String(bytes)));
    }

    public override async ValueTask<byte[]?> BytesAsync(SessionKey key) =>
        await _engine.Value.ScalarAsync("SELECT payload FROM {table} WHERE id = @id", ("@id", key.Value)) is string payload ? Convert.FromBase64String(payload) : null;

    public override async ValueTask DisposeAsync()
    {
        if (_engine.IsValueCreated)
            await _engine.Value.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected abstract Engine CreateEngine();
}

/// <summary>In a SQLite file, which is always there.</summary>
public sealed class SqliteFixture : DatabaseFixture
{
    protected override Engine CreateEngine() => new SqliteEngine();
}

/// <summary>Over a real PostgreSQL; its tests are skipped, by name, where there is none.</summary>
public sealed class PostgresFixture(PostgresServerFixture postgres) : DatabaseFixture
{
    protected override Engine CreateEngine() => new PostgresEngine(postgres.Server.ConnectionString);
}

/// <summary>Over a real MariaDB or MySQL; its tests are skipped, by name, where there is none.</summary>
public sealed class MariaDbFixture(MariaDbServerFixture mariaDb) : DatabaseFixture
{
    protected override Engine CreateEngine() => new MySqlEngine(mariaDb.Server.ConnectionString);
}
