using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using MySqlConnector;
using Npgsql;
using RedisSessions.Database;
using RedisSessions.TestServers;

namespace RedisSessions.Php.Tests;

/// <summary>One session in the table of UserFrosting and Laravel, used by PHP as they use it (PDO) and by .NET.</summary>
public sealed class DatabaseTests(PostgresServerFixture postgres, MariaDbServerFixture mariaDb) : IDisposable
{
    // What Laravel's DatabaseSessionHandler does, which UserFrosting uses too: a row is read, and written back whole at the end.
    private const string Handler = """
        class TableHandler implements SessionHandlerInterface {
            function __construct(private PDO $db) {}
            function open($path, $name): bool { return true; }
            function close(): bool { return true; }
            function read($id): string|false {
                $q = $this->db->prepare('SELECT payload FROM sessions WHERE id = ? AND last_activity > ?'); $q->execute([$id, time() - 1200]);
                return base64_decode($q->fetchColumn() ?: '');
            }
            function write($id, $data): bool {
                $row = [base64_encode($data), time(), $id];
                $q = $this->db->prepare('UPDATE sessions SET payload = ?, last_activity = ? WHERE id = ?'); $q->execute($row);
                if ($q->rowCount() == 0) $this->db->prepare('INSERT INTO sessions (payload, last_activity, id) VALUES (?, ?, ?)')->execute($row);
                return true;
            }
            function destroy($id): bool { $this->db->prepare('DELETE FROM sessions WHERE id = ?')->execute([$id]); return true; }
            function gc($lifetime): int|false { return 0; }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("php-database-").FullName;

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    private string SqliteFile => Path.Combine(_folder, "sessions.db");

    public static TheoryData<string> Engines => ["sqlite", "postgres", "mariadb"];

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_thousand_increments_by_turns_are_a_thousand()
    {
        await using var source = await SourceAsync("sqlite");
        await using var php = await StartPhpAsync();
        await using var instance = Create("sqlite", source);
        await Shared.TakeTurnsAsync(php, instance.Manager(), Shared.NewId(), CancellationToken);
    }

    [Fact]
    public async Task What_either_side_does_the_other_sees()
    {
        await using var source = await SourceAsync("sqlite");
        var php = await StartPhpAsync();
        await Shared.WalkAsync(() => php, () => Create("sqlite", source), CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task At_once_NET_loses_nothing_to_NET_and_leaves_the_other_columns_alone(string engine)
    {
        await using var source = await SourceAsync(engine);
        await using var one = Create(engine, source);
        await using var other = Create(engine, source);
        var id = Shared.NewId();
        await ExecuteAsync(source, $"INSERT INTO sessions (id, user_id, ip_address, user_agent, payload, last_activity) VALUES ('{id.Value}', 42, '127.0.0.1', 'PHP', '{Convert.ToBase64String("count|i:0;"u8)}', {DateTimeOffset.UtcNow.ToUnixTimeSeconds()})");
        await Parallel.ForEachAsync(Enumerable.Range(0, 100), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = CancellationToken },
            async (i, token) => await (i % 2 == 0 ? one : other).Manager().IncrementAsync(id, "count", token));
        Assert.Equal(100, await one.Manager().CountAsync(id, "count", CancellationToken));
        Assert.Equal(1L, Convert.ToInt64(await ScalarAsync(source, "SELECT COUNT(*) FROM sessions WHERE user_id = 42 AND ip_address = '127.0.0.1' AND user_agent = 'PHP'"), null));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task A_session_is_made_ended_and_gone(string engine)
    {
        await using var source = await SourceAsync(engine);
        await using var instance = Create(engine, source);
        var manager = instance.Manager();
        var session = manager.Create();
        session["n"] = 1;
        await session.CommitAsync(CancellationToken);
        var id = Instance.Parse(session.Id);
        Assert.Equal(1, await manager.CountAsync(id, "n", CancellationToken));
        session = await manager.LoadAsync(id, cancellationToken: CancellationToken);
        var late = await manager.LoadAsync(id, cancellationToken: CancellationToken);
        session.Destroy();
        await session.CommitAsync(CancellationToken);
        late["n"] = 2;
        Assert.True((await Assert.ThrowsAsync<SessionConflictException>(async () => await late.CommitAsync(CancellationToken))).SessionEnded);
        Assert.True((await manager.LoadAsync(id, cancellationToken: CancellationToken)).IsNew);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task A_payload_that_differs_by_capitals_alone_is_another_one(string engine)
    {
        await using var source = await SourceAsync(engine);
        // Base64 in other capitals is another session, which not every database's comparison of texts knows.
        var statement = new SqlStatements(Dialect(engine), "sessions").PhpReplace;
        await ExecuteAsync(source, "INSERT INTO sessions (id, payload, last_activity) VALUES ('x', 'YXxpOjA7', 1)");
        foreach (var (current, changed) in new[] { ("yXXPoJa7", 0), ("YXxpOjA7", 1) })
        {
            await using var command = source.CreateCommand(statement);
            foreach (var (name, value) in new (string, object)[] { ("@id", "x"), ("@current", current), ("@payload", "YXxpOjE7"), ("@now", 2L) })
            {
                var parameter = command.CreateParameter();
                (parameter.ParameterName, parameter.Value) = (name, value);
                command.Parameters.Add(parameter);
            }

            Assert.Equal(changed, await command.ExecuteNonQueryAsync(CancellationToken));
        }
    }

    private async Task<PhpProcess> StartPhpAsync()
    {
        Assert.SkipWhen(PhpProcess.Program is null, PhpProcess.None);
        Assert.SkipUnless(PhpProcess.HasExtension("pdo_sqlite"), "no PDO for SQLite: PHP has no extension pdo_sqlite (Debian: php-sqlite3).");
        var php = PhpProcess.Start();
        await php.RunAsync($"{Handler} $db = new PDO('sqlite:{SqliteFile}', options: [PDO::ATTR_TIMEOUT => 10]); session_set_save_handler(new TableHandler($db), false);", CancellationToken);
        return php;
    }

    private async Task<DbDataSource> SourceAsync(string engine)
    {
        DbDataSource source = engine switch
        {
            "sqlite" => SqliteFactory.Instance.CreateDataSource($"Data Source={SqliteFile}"),
            "postgres" => NpgsqlDataSource.Create(postgres.Server.ConnectionString),
            _ => new MySqlDataSource(mariaDb.Server.ConnectionString),
        };
        // As UserFrosting's migration makes it, with Laravel's key.
        await ExecuteAsync(source, "DROP TABLE IF EXISTS sessions");
        await ExecuteAsync(source, $"""
            CREATE TABLE sessions (id varchar(255) NOT NULL PRIMARY KEY, user_id {(engine == "sqlite" ? "integer" : "bigint")} NULL, ip_address varchar(45) NULL, user_agent text NULL,
                payload {(engine == "mariadb" ? "longtext" : "text")} NOT NULL, last_activity integer NOT NULL)
            """);
        return source;
    }

    private static ServiceProvider Create(string engine, DbDataSource source) => Instance.Create(builder =>
    {
        builder.AddDatabase(Dialect(engine), source);
        builder.Services.Configure<DatabaseHandlerOptions>(static options => options.Layout = SessionLayout.UserFrosting);
    });

    private static SqlDialect Dialect(string engine) => engine switch { "sqlite" => SqlDialect.Sqlite, "postgres" => SqlDialect.Postgres, _ => SqlDialect.MySql };

    private static async Task ExecuteAsync(DbDataSource source, string text)
    {
        await using var command = source.CreateCommand(text);
        await command.ExecuteNonQueryAsync(CancellationToken);
    }

    private static async Task<object?> ScalarAsync(DbDataSource source, string text)
    {
        await using var command = source.CreateCommand(text);
        return await command.ExecuteScalarAsync(CancellationToken);
    }
}
