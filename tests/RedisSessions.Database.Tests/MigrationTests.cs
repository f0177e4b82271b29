using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace RedisSessions.Database.Tests;

/// <summary>The table comes into being by itself, however many instances want it at once; or somebody else makes it.</summary>
public sealed class MigrationTests(Engines engines) : IClassFixture<Engines>
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Eight_instances_that_start_at_once_make_the_table_once(string name)
    {
        await using var engine = engines.Create(name);
        var instances = Enumerable.Range(0, 8).Select(_ => engine.Instance()).ToArray();

        await Task.WhenAll(instances.Select(instance => Task.Run(() => StartAsync(instance))));

        await AssertEachAppliedOnceAsync(engine);
        var key = Records.NewKey();
        foreach (var (instance, version) in instances.Select((instance, i) => (instance, (ulong)i)))
            Assert.IsType<CommitResult.Committed>(await Handler(instance).CommitAsync(key, version, Records.Live(version + 1)));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Eight_instances_that_meet_the_table_of_the_first_version_upgrade_it_once_and_its_sessions_go_on(string name)
    {
        await using var engine = engines.Create(name);
        var key = await OldTableAsync(engine);
        var instances = Enumerable.Range(0, 8).Select(_ => engine.Instance()).ToArray();

        await Task.WhenAll(instances.Select(instance => Task.Run(() => StartAsync(instance))));

        await AssertEachAppliedOnceAsync(engine);
        foreach (var (instance, version) in instances.Select((instance, i) => (instance, (ulong)i + 1)))
            Assert.IsType<CommitResult.Committed>(await Handler(instance).CommitAsync(key, version, Records.Live(version + 1)));
        await AssertLeasesWorkAsync(instances[0], key);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_table_of_the_first_version_is_upgraded_by_the_script_too(string name)
    {
        await using var engine = engines.Create(name);
        var key = await OldTableAsync(engine);
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => StartAsync(engine.Instance(options => options.Migrate = false)));
        Assert.Contains("MigrationScript", failure.Message, StringComparison.Ordinal);
        await engine.ExecuteAsync(engine.Dialect.MigrationScript(engine.Table));
        await AssertEachAppliedOnceAsync(engine);
        var instance = engine.Instance(options => options.Migrate = false);
        await StartAsync(instance);
        Assert.NotNull(await Handler(instance).ReadAsync(key));
        await AssertLeasesWorkAsync(instance, key);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_table_of_leases_that_was_dropped_is_made_again_at_the_next_start_and_no_session_is_lost(string name)
    {
        await using var engine = engines.Create(name);
        var first = engine.Instance();
        var key = Records.NewKey();
        await Handler(first).CommitAsync(key, 0, Records.Live(1));
        await engine.ExecuteAsync($"DROP TABLE {engine.Dialect.Quote}{engine.Table}_leases{engine.Dialect.Quote}");
        var instance = engine.Instance();
        await StartAsync(instance);
        await AssertEachAppliedOnceAsync(engine);
        Assert.NotNull(await Handler(instance).ReadAsync(key));
        await AssertLeasesWorkAsync(instance, key);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Whoever_may_not_migrate_is_told_what_to_run_and_that_is_enough(string name)
    {
        await using var engine = engines.Create(name);
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => StartAsync(engine.Instance(options => options.Migrate = false)));
        Assert.Contains($"SqlDialect.{engine.Dialect.Property}.MigrationScript(\"{engine.Table}\")", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Sessions:Database:Migrate", failure.Message, StringComparison.Ordinal);

        // Twice does no harm.
        await engine.ExecuteAsync(engine.Dialect.MigrationScript(engine.Table));
        await engine.ExecuteAsync(engine.Dialect.MigrationScript(engine.Table));

        var instance = engine.Instance(options => options.Migrate = false);
        await StartAsync(instance);
        Assert.IsType<CommitResult.Committed>(await Handler(instance).CommitAsync(Records.NewKey(), 0, Records.Live(1)));
        // And one that migrates finds nothing to do.
        await StartAsync(engine.Instance());
        await AssertEachAppliedOnceAsync(engine);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_table_of_a_newer_version_is_left_as_it_is(string name)
    {
        await using var engine = engines.Create(name);
        await StartAsync(engine.Instance());
        await engine.ExecuteAsync($"INSERT INTO {Migrations(engine)} (version) VALUES (99)");
        var instance = engine.Instance();
        await StartAsync(instance);
        Assert.IsType<CommitResult.Committed>(await Handler(instance).CommitAsync(Records.NewKey(), 0, Records.Live(1)));
        Assert.Equal(99L, Convert.ToInt64(await engine.ScalarAsync($"SELECT MAX(version) FROM {Migrations(engine)}")));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_dropped_table_is_a_failure_that_says_what_to_do_and_a_restored_one_still_has_its_sessions(string name)
    {
        await using var engine = engines.Create(name);
        var handler = engine.Handler();
        var key = Records.NewKey();
        await handler.CommitAsync(key, 0, Records.Live(1));
        await engine.ExecuteAsync($"ALTER TABLE {{table}} RENAME TO {engine.Dialect.Quote}{engine.Table}_kept{engine.Dialect.Quote}");

        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => handler.ReadAsync(key));
        Assert.Equal(("database", "read"), (failure.Handler, failure.Verb));
        Assert.Contains($"'{engine.Table}'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Run the migrations", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Run the migrations", (await Assert.ThrowsAsync<SessionStoreException>(() => handler.CommitAsync(key, 1, Records.Live(2)))).Message, StringComparison.Ordinal);

        await engine.ExecuteAsync($"ALTER TABLE {engine.Dialect.Quote}{engine.Table}_kept{engine.Dialect.Quote} RENAME TO {engine.Quoted}");
        Assert.Equal(1UL, (await handler.ReadAsync(key))!.Version.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_table_that_was_dropped_is_made_again_at_the_next_start(string name)
    {
        await using var engine = engines.Create(name);
        await StartAsync(engine.Instance());
        await engine.ExecuteAsync("DROP TABLE {table}");
        var instance = engine.Instance();
        await StartAsync(instance);
        Assert.IsType<CommitResult.Committed>(await Handler(instance).CommitAsync(Records.NewKey(), 0, Records.Live(1)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1sessions")]
    [InlineData("sessions; DROP TABLE users")]
    [InlineData("ses\"sions")]
    [InlineData("ses`sions")]
    [InlineData("a.b")]
    [InlineData("sessions\n")]
    [InlineData("sëssions")]
    [InlineData("a2345678901234567890123456789012345678901")]
    public async Task A_name_that_is_no_table_is_refused_before_it_reaches_a_statement(string table)
    {
        await using var engine = new SqliteEngine();
        var instance = engine.Instance(options => options.Table = table);
        var failure = Assert.Throws<OptionsValidationException>(() => instance.GetRequiredService<IOptions<DatabaseHandlerOptions>>().Value);
        Assert.Contains("Sessions:Database:Table", failure.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => SqlDialect.Postgres.MigrationScript(table));
    }

    [Theory]
    [InlineData("order")]
    [InlineData("_x9")]
    [InlineData("MixedCase")]
    public async Task Any_other_name_works_reserved_words_too(string table)
    {
        await using var engine = new SqliteEngine();
        var handler = engine.Handler(options => options.Table = table);
        var key = Records.NewKey();
        Assert.IsType<CommitResult.Committed>(await handler.CommitAsync(key, 0, Records.Live(1)));
        Assert.NotNull(await handler.ReadAsync(key));
    }

    internal static async Task StartAsync(ServiceProvider instance)
    {
        foreach (var service in instance.GetServices<IHostedService>().OfType<DatabaseMigrations>())
            await service.StartAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>What the first version has left: its two tables, with one session.</summary>
    private static async Task<SessionKey> OldTableAsync(Engine engine)
    {
        var statements = new SqlStatements(engine.Dialect, engine.Table);
        if (statements.Prepare is { } prepare)
            await engine.ExecuteAsync(prepare);
        await engine.ExecuteAsync(statements.CreateMigrations);
        await engine.ExecuteAsync(statements.Migrations[0].Text);
        await engine.ExecuteAsync(statements.Record(1));
        var (key, now, record) = (Records.NewKey(), DateTimeOffset.UtcNow, Records.Live(1));
        await engine.ExecuteAsync(
            "INSERT INTO {table} (id, user_id, version, state, created_at, last_activity, idle_deadline, absolute_deadline, payload) "
            + "VALUES (@id, NULL, 1, 0, @now, @now, @deadline, @deadline, @payload)",
            ("@id", key.Value), ("@now", now.ToUnixTimeMilliseconds()), ("@deadline", now.AddMinutes(5).ToUnixTimeMilliseconds()),
            ("@payload", Convert.ToBase64String(RecordFormat.Write(record))));
        return key;
    }

    private static async Task AssertEachAppliedOnceAsync(Engine engine) => Assert.Equal(
        (long)new SqlStatements(engine.Dialect, engine.Table).Migrations.Length, Convert.ToInt64(await engine.ScalarAsync($"SELECT COUNT(*) FROM {Migrations(engine)}")));

    private static async Task AssertLeasesWorkAsync(ServiceProvider instance, SessionKey key)
    {
        var leases = Assert.IsAssignableFrom<ISessionLeases>(Handler(instance));
        Assert.Null(await leases.TryAcquireAsync(key, new SessionLease("one", TimeSpan.FromMinutes(1)), TestContext.Current.CancellationToken));
        Assert.NotNull(await leases.TryAcquireAsync(key, new SessionLease("other", TimeSpan.FromMinutes(1)), TestContext.Current.CancellationToken));
    }

    private static ISessionHandler Handler(ServiceProvider instance) => instance.GetRequiredService<ISessionHandler>();

    private static string Migrations(Engine engine) => $"{engine.Dialect.Quote}{engine.Table}_migrations{engine.Dialect.Quote}";
}
