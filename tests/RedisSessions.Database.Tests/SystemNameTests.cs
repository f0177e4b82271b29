using Microsoft.Extensions.DependencyInjection;

namespace RedisSessions.Database.Tests;

/// <summary>What traces call the database: the names that OpenTelemetry has for it, and not ours.</summary>
public sealed class SystemNameTests(Engines engines) : IClassFixture<Engines>
{
    [Fact]
    public void Every_dialect_has_the_name_of_its_database() =>
        Assert.Equal(["sqlite", "postgresql", "mysql"], new[] { SqlDialect.Sqlite, SqlDialect.Postgres, SqlDialect.MySql }.Select(dialect => dialect.SystemName));

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_handler_says_it(string name)
    {
        await using var engine = engines.Create(name);
        var handler = engine.Instance().GetRequiredService<ISessionHandler>();
        Assert.Contains(handler.SystemName, (string[])["sqlite", "postgresql", "mysql"]);
    }
}
