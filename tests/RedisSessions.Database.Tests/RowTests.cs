using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace RedisSessions.Database.Tests;

/// <summary>What stands in the row besides the record: whose session it is, and until when.</summary>
public sealed class RowTests(Engines engines) : IClassFixture<Engines>
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task All_sessions_of_a_user_are_one_query(string name)
    {
        await using var engine = engines.Create(name);
        var manager = engine.Instance().GetRequiredService<SessionManager>();
        for (var i = 0; i < 5; i++)
            await LoginAsync(manager, i < 3 ? 42 : 43);
        await LoginAsync(manager, "ann");
        await LoginAsync(manager, null);
        var last = await LoginAsync(manager, 42L);

        Assert.Equal(4, await OfUserAsync(engine, "42"));
        Assert.Equal(2, await OfUserAsync(engine, "43"));
        Assert.Equal(1, await OfUserAsync(engine, "ann"));
        Assert.Equal(0, await OfUserAsync(engine, "Ann"));

        // An ordinary commit keeps the user, logging out clears it, and so does a login under a new id.
        last["n"] = 1;
        await last.CommitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(4, await OfUserAsync(engine, "42"));
        last["account.current_user_id"] = 44;
        last.RegenerateId(deleteOld: true);
        await last.CommitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((3, 1), (await OfUserAsync(engine, "42"), await OfUserAsync(engine, "44")));
        last.Remove("account.current_user_id");
        await last.CommitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, await OfUserAsync(engine, "44"));
    }

    [Fact]
    public async Task The_key_of_the_user_is_a_setting_and_must_be_one()
    {
        await using var engine = new SqliteEngine();
        var manager = engine.Instance(sessions: options => options.UserKey = "uid").GetRequiredService<SessionManager>();
        var session = manager.Create();
        session["uid"] = "7";
        await session.CommitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, await OfUserAsync(engine, "7"));

        var refused = engine.Instance(sessions: options => options.UserKey = "");
        Assert.Contains("Sessions:UserKey", Assert.ThrowsAny<Exception>(() => refused.GetRequiredService<SessionManager>()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_user_id_that_does_not_fit_keeps_no_session_from_being_stored(string name)
    {
        await using var engine = engines.Create(name);
        var handler = engine.Handler();
        foreach (var user in new[] { new string('x', 256), "nul\0in it", "" , "日本語 ' \" \\ ; --", new string('ü', 255) })
        {
            var key = Records.NewKey();
            Assert.IsType<CommitResult.Committed>(await handler.CommitAsync(key, 0, Records.Live(1, user: user)));
            Assert.NotNull(await handler.ReadAsync(key));
        }

        Assert.Equal(1, await OfUserAsync(engine, "日本語 ' \" \\ ; --"));
        Assert.Equal(1, await OfUserAsync(engine, new string('ü', 255)));
        Assert.Equal(0, await OfUserAsync(engine, new string('x', 255)));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Keys_that_differ_by_case_alone_are_different_sessions(string name)
    {
        await using var engine = engines.Create(name);
        var handler = engine.Handler();
        SessionKey key;
        do
            key = Records.NewKey();
        while (!key.Value.Any(char.IsAsciiLetter));
        await handler.CommitAsync(key, 0, Records.Live(1));
        await engine.ExecuteAsync("UPDATE {table} SET id = @id", ("@id", SwapCase(key.Value)));
        Assert.Null(await handler.ReadAsync(key));
        Assert.IsType<CommitResult.Committed>(await handler.CommitAsync(key, 0, Records.Live(1)));

        static string SwapCase(string text) => string.Concat(text.Select(c => char.IsAsciiLetterLower(c) ? char.ToUpperInvariant(c) : char.ToLowerInvariant(c)));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Reading_moves_the_deadline_once_in_a_tenth_of_the_idle_time_and_never_past_the_absolute_one(string name)
    {
        await using var engine = engines.Create(name);
        var time = new FakeTimeProvider(Start);
        var handler = engine.Handler(time: time);
        var key = Records.NewKey();
        await handler.CommitAsync(key, 0, Records.Live(1, Start, absolute: TimeSpan.FromMinutes(45)));
        Assert.Equal(TimeSpan.FromMinutes(20), await IdleAsync(engine));

        time.Advance(TimeSpan.FromSeconds(119));
        await handler.ReadAsync(key);
        Assert.Equal(TimeSpan.FromMinutes(20), await IdleAsync(engine));

        time.Advance(TimeSpan.FromSeconds(2));
        await handler.ReadAsync(key);
        Assert.Equal(TimeSpan.FromSeconds(121) + Records.Idle, await IdleAsync(engine));

        time.Advance(TimeSpan.FromMinutes(19));
        await handler.ReadAsync(key);
        time.Advance(TimeSpan.FromMinutes(19));
        await handler.ReadAsync(key);
        Assert.Equal(TimeSpan.FromMinutes(45), await IdleAsync(engine));

        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Null(await handler.ReadAsync(key));
        Assert.IsType<CommitResult.Gone>(await handler.CommitAsync(key, 1, Records.Live(2, time.GetUtcNow())));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_closed_record_does_not_live_longer_by_being_read(string name)
    {
        await using var engine = engines.Create(name);
        var time = new FakeTimeProvider(Start);
        var handler = engine.Handler(time: time);
        var key = Records.NewKey();
        await handler.CommitAsync(key, 0, Records.Live(1, Start, state: SessionState.Ended), TimeSpan.FromMinutes(2));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull(await handler.ReadAsync(key));
        Assert.Equal(TimeSpan.FromMinutes(2), await IdleAsync(engine));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Sliding_never_touches_a_newer_record(string name)
    {
        await using var engine = engines.Create(name);
        var time = new FakeTimeProvider(Start);
        var handler = engine.Handler(time: time);
        var key = Records.NewKey();
        await handler.CommitAsync(key, 0, Records.Live(1, Start));
        time.Advance(TimeSpan.FromMinutes(10));
        // The reader has version 1 in hand when somebody closes the session: its slide is the statement that comes after.
        await handler.CommitAsync(key, 1, Records.Live(2, time.GetUtcNow(), state: SessionState.Ended), TimeSpan.FromMinutes(2));
        var statements = new SqlStatements(engine.Dialect, engine.Table);
        var slid = await engine.ExecuteAsync(statements.Slide, ("@id", key.Value), ("@version", (long)new SessionVersion(1).Value), ("@now", Ms(time.GetUtcNow())), ("@idle_deadline", Ms(time.GetUtcNow() + Records.Idle)));
        Assert.Equal(0, slid);
        Assert.Equal(TimeSpan.FromMinutes(12), await IdleAsync(engine));
    }

    private static async Task<Session> LoginAsync(SessionManager manager, object? user)
    {
        var session = manager.Create();
        session["account.current_user_id"] = user;
        await session.CommitAsync(TestContext.Current.CancellationToken);
        return session;
    }

    private static async Task<int> OfUserAsync(Engine engine, string user) =>
        Convert.ToInt32(await engine.ScalarAsync("SELECT COUNT(*) FROM {table} WHERE user_id = @user", ("@user", user)));

    private static async Task<TimeSpan> IdleAsync(Engine engine) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Convert.ToInt64(await engine.ScalarAsync("SELECT idle_deadline FROM {table}"))) - Start;

    private static long Ms(DateTimeOffset time) => time.ToUnixTimeMilliseconds();
}
