using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using RedisSessions.TestServers;

namespace RedisSessions.Database.Tests;

/// <summary>Locks, lost answers, lost connections and lost servers: nothing is lost, and nothing is done twice.</summary>
public sealed class FaultTests(Engines engines) : IClassFixture<Engines>
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Fifty_of_fifty_commits_whose_answer_was_lost_are_applied_once(string name)
    {
        await using var engine = engines.Create(name);
        var lossy = new LossyDataSource(engine.CreateSource());
        var manager = engine.Instance(source: lossy).GetRequiredService<SessionManager>();
        var session = manager.Create();
        for (var i = 0; i < 50; i++)
        {
            session.Increment("n");
            lossy.Losses = 1 + i % 2;
            await session.CommitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(75, lossy.Lost);
        lossy.Losses = 0;
        var loaded = await manager.LoadAsync(Parse(session.Id), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(50L, loaded["n"]);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_commit_whose_answers_are_all_lost_fails_and_is_not_forgotten(string name)
    {
        await using var engine = engines.Create(name);
        var lossy = new LossyDataSource(engine.CreateSource());
        var handler = engine.Handler(source: lossy);
        var key = Records.NewKey();
        lossy.Losses = int.MaxValue;
        var record = Records.Live(1);
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => handler.CommitAsync(key, 0, record));
        Assert.Equal(("database", "commit", 3), (failure.Handler, failure.Verb, lossy.Lost));
        lossy.Losses = 0;
        Assert.True((await handler.ReadAsync(key))!.HasCommit(record.CommitIds[0]));
    }

    [Fact]
    public async Task When_too_much_happened_since_the_answer_was_lost_the_outcome_is_unknown_and_said_to_be()
    {
        await using var engine = new SqliteEngine();
        var handler = engine.Handler();
        var key = Records.NewKey();
        await handler.CommitAsync(key, 0, Records.Live(1));
        var lossy = new LossyDataSource(engine.CreateSource()) { Losses = 1 };
        var unlucky = engine.Handler(source: lossy);
        // Its answer is lost, and before it tries again others commit: ids are forgotten, as the records of this test carry only one.
        var commit = Task.Run(() => unlucky.CommitAsync(key, 1, Records.Live(2)), TestContext.Current.CancellationToken);
        await Poll.UntilAsync(() => lossy.Lost == 1, TimeSpan.FromSeconds(20), "an answer was lost", TestContext.Current.CancellationToken);
        for (ulong version = 2; version < 20 && await handler.CommitAsync(key, version, Records.Live(version + 1)) is CommitResult.Committed; version++)
        {
        }

        var outcome = await Record.ExceptionAsync(() => commit);
        if (outcome is null)
            Assert.True(((CommitResult.Conflict)await commit).Current.RemembersCommitsSince(new SessionVersion(1)));
        else
            Assert.Contains("cannot be told", Assert.IsType<SessionStoreException>(outcome).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_commit_waits_for_a_lock_longer_than_one_try_and_goes_through(string name)
    {
        await using var engine = engines.Create(name);
        var handler = engine.Handler(options => options.CommandTimeout = TimeSpan.FromSeconds(1));
        var key = Records.NewKey();
        await handler.CommitAsync(key, 0, Records.Live(1));

        await using var locking = await LockAsync(engine, key);
        var commit = Task.Run(() => handler.CommitAsync(key, 1, Records.Live(2)), TestContext.Current.CancellationToken);
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        Assert.False(commit.IsCompleted);
        await locking.DisposeAsync();

        // Committed; or it finds its own first try, which the server had not given up when the client had.
        var result = await commit;
        var record = await handler.ReadAsync(key);
        Assert.Equal(2UL, record!.Version.Count);
        Assert.True(result is CommitResult.Committed || ((CommitResult.Conflict)result).Current.CommitIds[0] == record.CommitIds[0]);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_lock_that_stays_is_a_failure_that_says_so_and_readers_go_on(string name)
    {
        await using var engine = engines.Create(name);
        var handler = engine.Handler(options => (options.CommandTimeout, options.Tries) = (TimeSpan.FromSeconds(1), 2));
        var key = Records.NewKey();
        await handler.CommitAsync(key, 0, Records.Live(1));

        await using (await LockAsync(engine, key))
        {
            var failure = await Assert.ThrowsAsync<SessionStoreException>(() => handler.CommitAsync(key, 1, Records.Live(2)));
            Assert.Contains("lock on the table", failure.Message, StringComparison.Ordinal);
            Assert.NotNull(await handler.ReadAsync(key));
            // A slide that is due cannot be done either, and the session is read all the same.
            Assert.NotNull(await handler.ReadAsync(key, Records.Idle * 2));
        }

        Assert.NotNull(await handler.ReadAsync(key));
    }

    [Fact]
    public async Task A_backend_that_is_terminated_while_it_commits_is_replaced_and_the_commit_applied_once()
    {
        await using var engine = engines.Create("postgres");
        var handler = engine.Handler();
        var key = Records.NewKey();
        await handler.CommitAsync(key, 0, Records.Live(1));
        Task<CommitResult> commit;
        await using (await LockAsync(engine, key))
        {
            commit = Task.Run(() => handler.CommitAsync(key, 1, Records.Live(2)), TestContext.Current.CancellationToken);
            await Poll.UntilAsync(
                async () => Convert.ToInt64(await engine.ScalarAsync($"SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{engine.Table}%'")) > 0,
                TimeSpan.FromSeconds(10), "the commit waits for the lock", TestContext.Current.CancellationToken);
        }

        Assert.IsType<CommitResult.Committed>(await commit);
        Assert.Equal(2UL, (await handler.ReadAsync(key))!.Version.Count);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("mariadb")]
    public async Task A_server_that_stops_is_a_failure_and_its_sessions_are_there_when_it_comes_back(string name)
    {
        // One of its own, because others need theirs.
        await using var server = name == "postgres"
            ? await DatabaseProcess.TryStartPostgresAsync(TestContext.Current.CancellationToken)
            : await DatabaseProcess.TryStartMariaDbAsync(TestContext.Current.CancellationToken);
        if (server is null)
            Assert.Skip(name == "postgres" ? PostgresServer.None : MariaDbServer.None);
        Engine engine = name == "postgres"
            ? new PostgresEngine($"Host=127.0.0.1;Port={server.Port};Username=sessions;Database=postgres")
            : new MySqlEngine($"Host=127.0.0.1;Port={server.Port};Username=root;Database=sessions");
        await using var _ = engine;
        var handler = engine.Handler();
        var keys = Enumerable.Range(0, 20).Select(_ => Records.NewKey()).ToArray();
        await Task.WhenAll(keys.Select(key => handler.CommitAsync(key, 0, Records.Live(1))));

        await server.StopAsync();
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => handler.ReadAsync(keys[0]));
        Assert.Contains("up and reachable", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SessionStoreException>(() => handler.CommitAsync(keys[0], 1, Records.Live(2)));
        // An instance may start meanwhile: it looks for the table as soon as there is a database.
        var late = engine.Instance();
        await MigrationTests.StartAsync(late);

        await server.StartAsync(TestContext.Current.CancellationToken);
        foreach (var key in keys)
            Assert.Equal(1UL, (await handler.ReadAsync(key))!.Version.Count);
        Assert.IsType<CommitResult.Committed>(await late.GetRequiredService<ISessionHandler>().CommitAsync(keys[0], 1, Records.Live(2)));
    }

    [Theory]
    [InlineData("40001", true)]
    [InlineData("40P01", true)]
    [InlineData("57P01", true)]
    [InlineData("57P03", true)]
    [InlineData("53300", true)]
    [InlineData("08006", true)]
    [InlineData("42P01", false)]
    [InlineData("42501", false)]
    [InlineData("28P01", false)]
    [InlineData("23505", false)]
    public void What_PostgreSQL_says_is_tried_again_when_it_may_help(string state, bool transient) =>
        Assert.Equal(transient, SqlDialect.Postgres.IsTransient(new PostgresException("", "ERROR", "ERROR", state)));

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, true)]
    [InlineData(1, false)]
    [InlineData(8, false)]
    [InlineData(13, false)]
    public void What_SQLite_says_is_tried_again_when_it_may_help(int code, bool transient) =>
        Assert.Equal(transient, SqlDialect.Sqlite.IsTransient(new Microsoft.Data.Sqlite.SqliteException($"SQLite Error {code}: 'whatever'.", code)));

    [Theory]
    [InlineData("40001", true)]
    [InlineData("08S01", true)]
    [InlineData("42S02", false)]
    [InlineData("42000", false)]
    public async Task What_MySQL_says_is_tried_again_when_it_may_help(string state, bool transient)
    {
        await using var engine = engines.Create("mariadb");
        var failure = await Assert.ThrowsAsync<MySqlConnector.MySqlException>(() => engine.ExecuteAsync($"SIGNAL SQLSTATE '{state}' SET MESSAGE_TEXT = 'x'"));
        Assert.Equal(state, failure.SqlState);
        Assert.Equal(transient, SqlDialect.MySql.IsTransient(failure));
    }

    private static SessionId Parse(string id)
    {
        Assert.True(SessionId.TryParse(id, out var parsed));
        return parsed;
    }

    /// <summary>Somebody else is writing to the session: until disposed, a commit has to wait.</summary>
    private static async Task<IAsyncDisposable> LockAsync(Engine engine, SessionKey key)
    {
        var connection = await engine.CreateSource().OpenConnectionAsync(TestContext.Current.CancellationToken);
        var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var command = engine.Command(connection, "UPDATE {table} SET state = state WHERE id = @id", ("@id", key.Value));
        command.Transaction = transaction;
        Assert.Equal(1, await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        return new Held(connection, transaction);
    }

    private sealed class Held(DbConnection connection, DbTransaction transaction) : IAsyncDisposable
    {
        private bool _disposed;

        public async ValueTask DisposeAsync()
        {
            if (_disposed)
                return;
            _disposed = true;
            await transaction.RollbackAsync();
            await connection.DisposeAsync();
        }
    }
}
