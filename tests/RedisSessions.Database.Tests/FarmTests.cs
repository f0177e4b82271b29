using System.Text;
using RedisSessions.AspNetCore.Tests;
using RedisSessions.TestServers;

namespace RedisSessions.Database.Tests;

/// <summary>Two instances over one table.</summary>
public abstract class DatabaseFarm(string provider, Func<(Engine Engine, string ConnectionString)> create) : FarmTests.Farm
{
    // A server that is missing skips a test, and only a test can be skipped: nothing is asked for before.
    private readonly Lazy<(Engine Engine, string ConnectionString)> _store = new(create);

    public override string[] Settings =>
    [
        "--Sessions:Handler=database", $"--Sessions:Database:Provider={provider}", $"--Sessions:Database:ConnectionString={_store.Value.ConnectionString}",
        $"--Sessions:Database:Table={Engine.Table}",
    ];

    private Engine Engine => _store.Value.Engine;

    public override async Task<byte[]?> BytesAsync(SessionKey key) =>
        await Engine.ScalarAsync("SELECT payload FROM {table} WHERE id = @id", ("@id", key.Value)) is { } payload
            ? Convert.FromBase64String(payload as string ?? Encoding.ASCII.GetString((byte[])payload))
            : null;

    public override async Task PlantAsync(SessionKey key, byte[] bytes) =>
        Assert.Equal(1, await Engine.ExecuteAsync("UPDATE {table} SET payload = @payload WHERE id = @id", ("@id", key.Value), ("@payload", Convert.ToBase64String(bytes))));

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_store.IsValueCreated)
            await Engine.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

public sealed class SqliteFarmTests(SqliteFarmTests.SqliteFarm farm) : FarmTests(farm), IClassFixture<SqliteFarmTests.SqliteFarm>
{
    public sealed class SqliteFarm() : DatabaseFarm("sqlite", static () =>
    {
        var engine = new SqliteEngine();
        return (engine, engine.ConnectionString);
    });
}

public sealed class PostgresFarmTests(PostgresFarmTests.PostgresFarm farm) : FarmTests(farm), IClassFixture<PostgresFarmTests.PostgresFarm>
{
    public sealed class PostgresFarm(PostgresServerFixture postgres) : DatabaseFarm("postgres", () =>
        (new PostgresEngine(postgres.Server.ConnectionString), postgres.Server.ConnectionString + ";Maximum Pool Size=30"));
}

public sealed class MariaDbFarmTests(MariaDbFarmTests.MariaDbFarm farm) : FarmTests(farm), IClassFixture<MariaDbFarmTests.MariaDbFarm>
{
    public sealed class MariaDbFarm(MariaDbServerFixture mariaDb) : DatabaseFarm("mysql", () =>
        (new MySqlEngine(mariaDb.Server.ConnectionString), mariaDb.Server.ConnectionString + ";Maximum Pool Size=30"));
}
