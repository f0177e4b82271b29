using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace RedisSessions.Database.Tests;

/// <summary>Expired rows go, in batches; living ones stay; one instance at a time.</summary>
public sealed class CollectionTests(Engines engines) : IClassFixture<Engines>
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Expired_rows_are_collected_in_batches_and_living_ones_stay(string name)
    {
        await using var engine = engines.Create(name);
        var handler = engine.Handler(options => options.CollectBatch = 10);
        var living = Enumerable.Range(0, 15).Select(_ => Records.NewKey()).ToArray();
        foreach (var key in living)
            await handler.CommitAsync(key, 0, Records.Live(1));
        for (var i = 0; i < 35; i++)
            await handler.CommitAsync(Records.NewKey(), 0, Records.Live(1), TimeSpan.FromMilliseconds(1));
        await Task.Delay(20, TestContext.Current.CancellationToken);

        Assert.Equal(35, await ((IExpiredSessions)handler).CollectAsync(TestContext.Current.CancellationToken));

        Assert.Equal(15L, Convert.ToInt64(await engine.ScalarAsync("SELECT COUNT(*) FROM {table}")));
        foreach (var key in living)
            Assert.NotNull(await handler.ReadAsync(key));
        Assert.Equal(0, await ((IExpiredSessions)handler).CollectAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Leases_that_nobody_gave_back_are_collected_with_the_sessions(string name)
    {
        await using var engine = engines.Create(name);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var handler = engine.Handler(time: time);
        var leases = (ISessionLeases)handler;
        var token = TestContext.Current.CancellationToken;
        Assert.Null(await leases.TryAcquireAsync(Records.NewKey(), new SessionLease("ends", TimeSpan.FromSeconds(30)), token));
        Assert.Null(await leases.TryAcquireAsync(Records.NewKey(), new SessionLease("lasts", TimeSpan.FromMinutes(5)), token));
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(0, await ((IExpiredSessions)handler).CollectAsync(token));

        Assert.Equal("lasts", await engine.ScalarAsync($"SELECT owner FROM {engine.Dialect.Quote}{engine.Table}_leases{engine.Dialect.Quote}"));
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("mariadb")]
    public async Task While_one_instance_collects_another_does_nothing(string name)
    {
        await using var engine = engines.Create(name);
        var handler = engine.Handler();
        await handler.CommitAsync(Records.NewKey(), 0, Records.Live(1), TimeSpan.FromMilliseconds(1));
        await Task.Delay(20, TestContext.Current.CancellationToken);
        var statements = new SqlStatements(engine.Dialect, engine.Table);
        await using (var connection = await engine.CreateSource().OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await using var tryLock = engine.Command(connection, statements.LockCollection!);
            Assert.NotNull(await tryLock.ExecuteScalarAsync(TestContext.Current.CancellationToken));
            Assert.Equal(0, await ((IExpiredSessions)handler).CollectAsync(TestContext.Current.CancellationToken));
            await using var unlock = engine.Command(connection, statements.UnlockCollection!);
            await unlock.ExecuteScalarAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(1, await ((IExpiredSessions)handler).CollectAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Several_instances_that_collect_at_once_delete_every_row_once_and_disturb_nobody(string name)
    {
        await using var engine = engines.Create(name);
        var handlers = Enumerable.Range(0, 4).Select(_ => engine.Handler(options => options.CollectBatch = 7)).ToArray();
        for (var i = 0; i < 60; i++)
            await handlers[0].CommitAsync(Records.NewKey(), 0, Records.Live(1), TimeSpan.FromMilliseconds(1));
        await Task.Delay(20, TestContext.Current.CancellationToken);
        var key = Records.NewKey();
        await handlers[0].CommitAsync(key, 0, Records.Live(1));

        var collecting = Task.WhenAll(handlers.Select(handler => Task.Run(async () => await ((IExpiredSessions)handler).CollectAsync(TestContext.Current.CancellationToken))));
        for (ulong version = 1; version <= 30; version++)
            Assert.IsType<CommitResult.Committed>(await handlers[1].CommitAsync(key, version, Records.Live(version + 1)));
        var collected = (await collecting).Sum();

        collected += await ((IExpiredSessions)handlers[0]).CollectAsync(TestContext.Current.CancellationToken);
        Assert.Equal(60, collected);
        Assert.Equal(1L, Convert.ToInt64(await engine.ScalarAsync("SELECT COUNT(*) FROM {table}")));
    }
}
