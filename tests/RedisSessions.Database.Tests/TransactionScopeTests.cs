using System.Transactions;

namespace RedisSessions.Database.Tests;

/// <summary>
/// An application that works in a <see cref="TransactionScope"/>, which drivers join by themselves: its end, good or bad, is none of the session's.
/// </summary>
public sealed class TransactionScopeTests(Engines engines) : IClassFixture<Engines>
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, bool> Scopes => [.. Engines.All.SelectMany(static row => new[] { (row.Data, true), (row.Data, false) })];

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task A_commit_that_was_acknowledged_is_there_whatever_becomes_of_the_scope(string name, bool completes)
    {
        await using var engine = engines.Create(name);
        var (handler, key) = (engine.Handler(), SessionKey.From(SessionId.New()));
        // The first use of the table makes it, inside the scope too.
        await InScopeAsync(completes, async () => Assert.IsType<CommitResult.Committed>(await CommitAsync(handler, key, 1)));
        Assert.Equal(1UL, (await handler.ReadAsync(key, Idle, Token))?.Version.Count);
        await InScopeAsync(completes, async () =>
        {
            Assert.NotNull(await handler.ReadAsync(key, Idle, Token));
            Assert.IsType<CommitResult.Committed>(await CommitAsync(handler, key, 2));
            Assert.IsType<CommitResult.Conflict>(await CommitAsync(handler, key, 2));
        });
        Assert.Equal(2UL, (await engine.Handler().ReadAsync(key, Idle, Token))?.Version.Count);
        await InScopeAsync(completes, async () => Assert.True(await handler.DeleteAsync(key, Token)));
        Assert.Null(await engine.Handler().ReadAsync(key, Idle, Token));
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task Nor_is_anything_else_that_the_handler_does_part_of_the_scope(string name, bool completes)
    {
        await using var engine = engines.Create(name);
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow);
        var handler = engine.Handler(time: time);
        var (key, lease) = (SessionKey.From(SessionId.New()), new SessionLease("owner0123", TimeSpan.FromMinutes(30)));
        var (leases, index) = ((ISessionLeases)handler, (ISessionIndex)handler);
        await InScopeAsync(completes, async () =>
        {
            Assert.IsType<CommitResult.Committed>(await CommitAsync(handler, key, 1));
            Assert.Null(await leases.TryAcquireAsync(key, lease, Token));
        });
        // Taken by another instance it would be free, had the scope taken it back.
        Assert.NotNull(await ((ISessionLeases)engine.Handler(time: time)).TryAcquireAsync(key, lease with { Owner = "other" }, Token));
        await InScopeAsync(completes, async () =>
        {
            Assert.True(await leases.RenewAsync(key, lease, Token));
            Assert.Single(await index.FindAsync("ann", Token));
            await leases.ReleaseAsync(key, lease, Token);
        });
        Assert.Null(await ((ISessionLeases)engine.Handler(time: time)).TryAcquireAsync(key, lease with { Owner = "other" }, Token));

        // A read that moves the deadline, then the collection of what has passed it.
        time.Advance(Idle / 2);
        await InScopeAsync(completes, async () => Assert.NotNull(await handler.ReadAsync(key, Idle, Token)));
        time.Advance(Idle * 0.75);
        Assert.NotNull(await engine.Handler(time: time).ReadAsync(key, Idle, Token));
        time.Advance(Idle * 2);
        await InScopeAsync(completes, async () => Assert.Equal(1, await ((IExpiredSessions)handler).CollectAsync(Token)));
        Assert.Equal(0L, Convert.ToInt64(await engine.ScalarAsync("SELECT COUNT(*) FROM {table}"), System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>The application's own transaction goes on as one with a single connection: a second one would need a coordinator.</summary>
    [Theory]
    [InlineData("postgres")]
    [InlineData("mariadb")]
    public async Task The_applications_own_work_in_the_scope_is_committed_or_rolled_back_without_ours(string name)
    {
        await using var engine = engines.Create(name);
        var handler = engine.Handler();
        await engine.ExecuteAsync($"CREATE TABLE {Orders(engine)} (n INT)");
        foreach (var completes in new[] { false, true })
        {
            var key = SessionKey.From(SessionId.New());
            await InScopeAsync(completes, async () =>
            {
                await engine.ExecuteAsync($"INSERT INTO {Orders(engine)} (n) VALUES (1)");
                await CommitAsync(handler, key, 1);
                Assert.Equal(Guid.Empty, Transaction.Current!.TransactionInformation.DistributedIdentifier);
            });
            Assert.NotNull(await handler.ReadAsync(key, Idle, Token));
            var rows = Convert.ToInt64(await engine.ScalarAsync($"SELECT COUNT(*) FROM {Orders(engine)}"), System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(completes ? 1 : 0, rows);
        }

        await engine.ExecuteAsync($"DROP TABLE {Orders(engine)}");
    }

    private static string Orders(Engine engine) => $"{engine.Table}_orders";

    private static async Task InScopeAsync(bool completes, Func<Task> work)
    {
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        var around = Transaction.Current;
        await work();
        Assert.Same(around, Transaction.Current);
        if (completes)
            scope.Complete();
    }

    private static ValueTask<CommitResult> CommitAsync(ISessionHandler handler, SessionKey key, ulong version) =>
        handler.CommitAsync(key, version == 1 ? SessionVersion.None : new SessionVersion(version - 1), Records.Live(version, user: "ann"), Idle, Token);
}
