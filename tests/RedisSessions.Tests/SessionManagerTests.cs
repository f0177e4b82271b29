using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>Loading, deadlines, what is no session.</summary>
public sealed class SessionManagerTests
{
    private readonly Engine _engine = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Loading_a_stored_session_is_one_read()
    {
        var id = await _engine.StoredAsync(("a.b", 1));
        var session = await _engine.LoadAsync(id);
        Assert.Equal(1, session["a.b"] as long?);
        Assert.False(session.IsNew);
        Assert.Equal(id.Value, session.Id);
        Assert.Equal(1, _engine.Store.Reads);
    }

    [Fact]
    public async Task An_id_that_the_store_does_not_know_is_not_adopted()
    {
        var unknown = SessionId.New();
        var session = await _engine.LoadAsync(unknown);
        Assert.True(session.IsNew);
        session["a"] = 1;
        await session.CommitAsync(Token);
        Assert.NotEqual(unknown.Value, session.Id);
        Assert.Equal("nothing", _engine.Stored(unknown));
        Assert.Equal("{a: 1}", _engine.Stored(session.SessionId));
    }

    [Fact]
    public async Task A_new_session_costs_nothing_until_something_is_written()
    {
        var session = _engine.Manager.Create();
        Assert.Null(session["a"]);
        Assert.False(session.Has("a"));
        await session.CommitAsync(Token);
        Assert.Equal((0, 0), (_engine.Store.Reads, _engine.Store.Commits));
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(session));
    }

    [Fact]
    public async Task Committing_without_a_change_writes_nothing()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync(("a", 1)));
        _ = session["a"];
        await session.CommitAsync(Token);
        Assert.Empty(_engine.Handler.Log);
    }

    [Fact]
    public async Task A_new_session_issues_its_cookie_when_it_is_stored_and_not_before()
    {
        var session = _engine.Manager.Create();
        session["a"] = 1;
        Assert.True(SessionManager.WillIssueCookie(session));
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(session));
        await session.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Issue, SessionManager.CookieFor(session));
        Assert.False(SessionManager.WillIssueCookie(session));
        Assert.False(session.IsNew);
        Assert.Equal(1UL, _engine.Store.Peek(SessionKey.From(session.SessionId))!.Version.Count);
    }

    [Fact]
    public async Task A_session_that_is_read_in_time_lives_on_and_one_that_is_not_is_gone()
    {
        var id = await _engine.StoredAsync(("a", 1));
        for (var i = 0; i < 5; i++)
        {
            _engine.Time.Advance(TimeSpan.FromMinutes(19));
            Assert.Equal("{a: 1}", await _engine.SeenAsync(id));
        }

        _engine.Time.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal("new", await _engine.SeenAsync(id));
    }

    [Fact]
    public async Task A_session_ends_at_its_absolute_deadline_however_busy_it_is()
    {
        var id = await _engine.StoredAsync(("n", 0));
        for (var i = 0; i < 47; i++)
        {
            _engine.Time.Advance(TimeSpan.FromMinutes(15));
            await _engine.OtherAsync(id, session => session.Increment("n"));
        }

        Assert.Equal("{n: 47}", await _engine.SeenAsync(id));
        _engine.Time.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal("new", await _engine.SeenAsync(id));
    }

    [Fact]
    public async Task Regenerating_does_not_move_the_absolute_deadline_and_keeps_the_time_of_creation()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var before = _engine.Store.Peek(SessionKey.From(id))!;
        _engine.Time.Advance(TimeSpan.FromMinutes(10));
        var session = await _engine.LoadAsync(id);
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(Token);
        var after = _engine.Store.Peek(SessionKey.From(session.SessionId))!;
        Assert.Equal(before.AbsoluteDeadline, after.AbsoluteDeadline);
        Assert.Equal(before.CreatedAt, after.CreatedAt);
        Assert.Equal(before.CreatedAt, session.CreatedAt);
    }

    [Fact]
    public async Task What_is_no_record_is_a_store_failure_that_names_the_reason_and_stays_in_the_store()
    {
        var id = SessionId.New();
        _engine.Store.Plant(SessionKey.From(id), [1, 2, 3]);
        var failure = await Assert.ThrowsAsync<SessionStoreException>(async () => await _engine.LoadAsync(id));
        Assert.Contains("truncated", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(id.Value, failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, _engine.Store.Count);
    }

    [Theory]
    [InlineData(new byte[] { 0x93, 1, 2, 3 }, "not a map")]
    [InlineData(new byte[] { 0x81, 0xa1 }, "cut off")]
    [InlineData(new byte[] { 0x80, 0x80 }, "bytes after the value")]
    [InlineData(new byte[] { 0x81, 0xa1, (byte)'a', 0xc1 }, "unknown type 0xc1")]
    public async Task A_record_with_a_payload_that_is_none_is_a_store_failure_when_it_is_loaded(byte[] payload, string reason)
    {
        var id = SessionId.New();
        _engine.Store.Plant(SessionKey.From(id), RecordFormat.Write(Record(SessionState.Live, PayloadFormat.MessagePack, payload)));
        var failure = await Assert.ThrowsAsync<SessionStoreException>(async () => await _engine.LoadAsync(id));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.Equal("read", failure.Verb);
    }

    [Fact]
    public async Task A_live_record_without_a_payload_format_is_a_store_failure()
    {
        var id = SessionId.New();
        _engine.Store.Plant(SessionKey.From(id), RecordFormat.Write(Record(SessionState.Live, PayloadFormat.None, [])));
        await Assert.ThrowsAsync<SessionStoreException>(async () => await _engine.LoadAsync(id));
    }

    [Fact]
    public async Task A_forward_to_what_is_no_key_is_a_store_failure()
    {
        var id = SessionId.New();
        _engine.Store.Plant(SessionKey.From(id), RecordFormat.Write(Record(SessionState.Forward, PayloadFormat.None, [1, 2, 3])));
        await Assert.ThrowsAsync<SessionStoreException>(async () => await _engine.LoadAsync(id));
    }

    [Fact]
    public async Task Forwards_that_lead_in_a_circle_end_as_no_session()
    {
        var id = SessionId.New();
        var key = SessionKey.From(id);
        _engine.Store.Plant(key, RecordFormat.Write(Record(SessionState.Forward, PayloadFormat.None, key.ToBytes())));
        Assert.True((await _engine.LoadAsync(id)).IsNew);
        Assert.InRange(_engine.Store.Reads, 2, 20);
    }

    [Fact]
    public async Task A_detached_session_is_never_stored_and_gets_no_cookie()
    {
        var session = _engine.Manager.CreateDetached();
        session["a"] = 1;
        Assert.False(SessionManager.WillIssueCookie(session));
        await session.CommitAsync(Token);
        Assert.Equal(1, session["a"] as long?);
        Assert.Equal(0, _engine.Store.Count);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(session));
    }

    private SessionRecord Record(SessionState state, PayloadFormat format, byte[] payload) => new()
    {
        Version = new SessionVersion(1),
        State = state,
        CreatedAt = _engine.Time.GetUtcNow(),
        AbsoluteDeadline = _engine.Time.GetUtcNow().AddHours(1),
        PayloadFormat = format,
        Payload = payload,
    };
}
