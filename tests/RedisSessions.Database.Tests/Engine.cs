using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MySqlConnector;
using Npgsql;

namespace RedisSessions.Database.Tests;

/// <summary>A database and the driver to it, as a test needs it: instances of an application over it, and a way past them.</summary>
public abstract class Engine : IAsyncDisposable
{
    // Servers count connections: the instances of a test share a few pools, and nothing else.
    private const int Pools = 8;

    private readonly List<IAsyncDisposable> _owned = [];
    private readonly List<DbDataSource> _pools = [];
    private readonly Lazy<DbDataSource> _direct;

    protected Engine() => _direct = new Lazy<DbDataSource>(CreateSource);

    public abstract SqlDialect Dialect { get; }

    /// <summary>The table of this test; nobody else uses it.</summary>
    public string Table { get; } = $"s_{Guid.NewGuid():N}"[..16];

    /// <summary>The name of the table as it stands in a statement.</summary>
    public string Quoted => $"{Dialect.Quote}{Table}{Dialect.Quote}";

    /// <summary>Connections of its own, with a pool of their own: another instance's.</summary>
    public DbDataSource CreateSource()
    {
        var source = Connect();
        lock (_owned)
            _owned.Add(source);
        return source;
    }

    /// <summary>One instance of an application, without HTTP.</summary>
    public ServiceProvider Instance(
        Action<DatabaseHandlerOptions>? database = null, Action<RedisSessionsOptions>? sessions = null, TimeProvider? time = null, DbDataSource? source = null,
        ILoggerProvider? log = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging(logging =>
        {
            logging.SetMinimumLevel(LogLevel.Trace);
            if (log is not null)
                logging.AddProvider(log);
        });
        if (time is not null)
            services.AddSingleton(time);
        services.AddRedisSessionsCore(sessions).AddDatabase(Dialect, source ?? NextPool());
        services.Configure<DatabaseHandlerOptions>(options =>
        {
            options.Table = Table;
            database?.Invoke(options);
        });
        var instance = services.BuildServiceProvider();
        lock (_owned)
            _owned.Add(instance);
        return instance;
    }

    public ISessionHandler Handler(Action<DatabaseHandlerOptions>? database = null, TimeProvider? time = null, DbDataSource? source = null) =>
        Instance(database, time: time, source: source).GetRequiredService<ISessionHandler>();

    /// <summary>Runs a statement past the handler; <c>{table}</c> stands for the table.</summary>
    public async Task<int> ExecuteAsync(string text, params (string Name, object Value)[] parameters)
    {
        await using var connection = await _direct.Value.OpenConnectionAsync();
        await using var command = Command(connection, text, parameters);
        return await command.ExecuteNonQueryAsync();
    }

    public async Task<object?> ScalarAsync(string text, params (string Name, object Value)[] parameters)
    {
        await using var connection = await _direct.Value.OpenConnectionAsync();
        await using var command = Command(connection, text, parameters);
        return await command.ExecuteScalarAsync() is { } value and not DBNull ? value : null;
    }

    public DbCommand Command(DbConnection connection, string text, params (string Name, object Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = text.Replace("{table}", Quoted, StringComparison.Ordinal);
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }

        return command;
    }

    public async ValueTask DropAsync()
    {
        await ExecuteAsync("DROP TABLE IF EXISTS {table}");
        await ExecuteAsync($"DROP TABLE IF EXISTS {Dialect.Quote}{Table}_leases{Dialect.Quote}");
        await ExecuteAsync($"DROP TABLE IF EXISTS {Dialect.Quote}{Table}_migrations{Dialect.Quote}");
    }

    public virtual async ValueTask DisposeAsync()
    {
        await DropAsync();
        foreach (var owned in _owned)
            await owned.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected abstract DbDataSource Connect();

    private DbDataSource NextPool()
    {
        lock (_pools)
        {
            var pool = _pools.Count < Pools ? CreateSource() : _pools[0];
            _pools.Remove(pool);
            _pools.Add(pool);
            return pool;
        }
    }
}

/// <summary>SQLite, in a file of its own.</summary>
public sealed class SqliteEngine : Engine
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("sqlite-").FullName;

    public string ConnectionString => $"Data Source={Path.Combine(Folder, "sessions.db")}";

    public override SqlDialect Dialect => SqlDialect.Sqlite;

    protected override DbDataSource Connect() => SqliteFactory.Instance.CreateDataSource(ConnectionString);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>PostgreSQL.</summary>
public sealed class PostgresEngine(string connectionString) : Engine
{
    public override SqlDialect Dialect => SqlDialect.Postgres;

    protected override DbDataSource Connect() => NpgsqlDataSource.Create(connectionString + ";Maximum Pool Size=12");
}

/// <summary>MySQL or MariaDB.</summary>
public sealed class MySqlEngine(string connectionString) : Engine
{
    public override SqlDialect Dialect => SqlDialect.MySql;

    protected override DbDataSource Connect() => new MySqlDataSource(connectionString + ";Maximum Pool Size=12");
}
