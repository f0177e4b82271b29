using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.Conformance;
using RedisSessions.TestServers;

namespace RedisSessions.Php.Tests;

/// <summary>What every handler promises, where PHP's sessions are stored.</summary>
public sealed class PhpRedisConformance(PhpRedisFixture fixture) : SessionHandlerTests(fixture), IClassFixture<PhpRedisFixture>;

public sealed class PhpFileConformance(PhpFileFixture fixture) : SessionHandlerTests(fixture), IClassFixture<PhpFileFixture>;

public sealed class PhpDatabaseConformance(PhpDatabaseFixture fixture) : SessionHandlerTests(fixture), IClassFixture<PhpDatabaseFixture>;

public sealed class PhpRedisFixture(RedisServerFixture redis) : PhpFixture
{
    private readonly string _prefix = $"php:{Guid.NewGuid():N}:";

    public override string HandlerName => "redis";

    public override bool KeepsLeases => true;

    protected override ServiceProvider CreateInstance() => Instance.Create(builder => builder.AddRedis(options =>
    {
        (options.Configuration, options.Layout, options.KeyPrefix) = ($"{redis.Server.Configuration},connectTimeout=20000", SessionLayout.Php, _prefix);
        (options.Timeout, options.TryTimeout) = (TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(20));
    }));
}

public sealed class PhpFileFixture : PhpFixture
{
    private readonly string _folder = Directory.CreateTempSubdirectory("php-conformance-").FullName;
    private readonly ShiftedTime _time = new();

    public override string HandlerName => "file";

    public override TimeProvider Time => _time;

    public override ValueTask ElapseAsync(TimeSpan time)
    {
        _time.Advance(time);
        return ValueTask.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    protected override ServiceProvider CreateInstance() => Instance.Create(
        _ => { }, time: _time, file: options => (options.Path, options.Layout, options.FlushToDisk, options.LockTimeout) = (_folder, SessionLayout.UserFrosting, false, TimeSpan.FromMinutes(1)));
}

public sealed class PhpDatabaseFixture : PhpFixture
{
    private readonly string _folder = Directory.CreateTempSubdirectory("php-conformance-").FullName;
    private readonly ShiftedTime _time = new();
    private readonly DbDataSource _source;

    public PhpDatabaseFixture()
    {
        _source = SqliteFactory.Instance.CreateDataSource($"Data Source={Path.Combine(_folder, "sessions.db")}");
        using var command = _source.CreateCommand("PRAGMA journal_mode = WAL; CREATE TABLE sessions (id varchar(255) NOT NULL PRIMARY KEY, user_id integer NULL, payload text NOT NULL, last_activity integer NOT NULL)");
        command.ExecuteNonQuery();
    }

    public override string HandlerName => "database";

    public override TimeProvider Time => _time;

    // The column counts in seconds.
    public override TimeSpan ShortIdleTimeout => TimeSpan.FromSeconds(5);

    public override TimeSpan ShortOwnIdleTimeout => TimeSpan.FromSeconds(5);

    public override ValueTask ElapseAsync(TimeSpan time)
    {
        _time.Advance(time);
        return ValueTask.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _source.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    protected override ServiceProvider CreateInstance() => Instance.Create(builder =>
    {
        builder.AddDatabase(SqlDialect.Sqlite, _source);
        builder.Services.Configure<DatabaseHandlerOptions>(static options => (options.Layout, options.CommandTimeout) = (SessionLayout.UserFrosting, TimeSpan.FromSeconds(30)));
    }, time: _time);
}
