using Microsoft.Extensions.DependencyInjection;
using RedisSessions.AspNetCore.Tests;
using RedisSessions.TestServers;

namespace RedisSessions.Database.Tests;

/// <summary>The table or the server is away: nobody is logged out, and the log says what to do.</summary>
public sealed class DatabaseOutageTests(Engines engines) : IClassFixture<Engines>
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_table_that_is_away_refuses_everything_and_goes_on_when_it_is_back(string name)
    {
        await using var engine = engines.Create(name);
        await using var app = await StartAsync(engine);
        await app.SeedAsync();
        var away = $"{engine.Dialect.Quote}{engine.Table}_away{engine.Dialect.Quote}";
        await engine.ExecuteAsync($"ALTER TABLE {{table}} RENAME TO {away}");
        await app.RefusesAsync("Run the migrations", "/get", "/set?val=lost");
        await engine.ExecuteAsync($"ALTER TABLE {away} RENAME TO {engine.Quoted}");
        await app.IsAsBeforeAsync();
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("mariadb")]
    public async Task A_server_that_stops_or_hangs_refuses_everything_and_goes_on_when_it_is_back(string name)
    {
        // One of its own, because others need theirs.
        await using var server = name == "postgres"
            ? await DatabaseProcess.TryStartPostgresAsync(TestContext.Current.CancellationToken)
            : await DatabaseProcess.TryStartMariaDbAsync(TestContext.Current.CancellationToken);
        if (server is null)
            Assert.Skip(name == "postgres" ? PostgresServer.None : MariaDbServer.None);
        await using Engine engine = name == "postgres"
            ? new PostgresEngine($"Host=127.0.0.1;Port={server.Port};Username=sessions;Database=postgres;Timeout=2;Cancellation Timeout=500")
            : new MySqlEngine($"Host=127.0.0.1;Port={server.Port};Username=root;Database=sessions;Connection Timeout=2;Cancellation Timeout=1");
        await using var app = await StartAsync(engine, "Sessions:Database:CommandTimeout=00:00:01", "Sessions:Database:Tries=2");
        await app.SeedAsync();

        await server.StopAsync();
        await app.RefusesAsync("Is it up and reachable", "/get", "/set?val=lost");
        await server.StartAsync(TestContext.Current.CancellationToken);
        await app.IsAsBeforeAsync();

        await server.FreezeAsync();
        await app.RefusesAsync("Is it up and reachable", "/get", "/set?val=lost");
        await server.ThawAsync();
        await app.IsAsBeforeAsync();
    }

    private static Task<OutageApp> StartAsync(Engine engine, params string[] settings) =>
        OutageApp.StartAsync(sessions => sessions.AddDatabase(engine.Dialect, engine.CreateSource()), [$"Sessions:Database:Table={engine.Table}", .. settings]);
}
