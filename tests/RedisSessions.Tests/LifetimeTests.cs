using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>A session's own idle and absolute timeout, and the cookie that outlives the browser.</summary>
public sealed class LifetimeTests
{
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);
    private readonly Engine _engine = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_its_own_a_session_has_the_applications_lifetime()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync());
        Assert.Equal((_engine.Options.IdleTimeout, _engine.Options.AbsoluteTimeout, false), (session.IdleTimeout, session.AbsoluteTimeout, session.IsPersistent));
        Assert.Null(Stored(session).IdleTimeout);
    }

    [Fact]
    public async Task A_remembered_session_lives_on_when_others_have_gone()
    {
        var id = await RememberedAsync();
        _engine.Time.Advance(TimeSpan.FromDays(29));
        var back = await _engine.LoadAsync(id);
        Assert.Equal(7, back.Get<int>("account.current_user_id"));
        Assert.Equal((Month, TimeSpan.FromDays(90), true), (back.IdleTimeout, back.AbsoluteTimeout, back.IsPersistent));
    }

    [Fact]
    public async Task A_remembered_session_ends_at_its_absolute_deadline_all_the_same()
    {
        var id = await RememberedAsync();
        for (var day = 0; day < 89; day += 20)
        {
            Assert.False((await _engine.LoadAsync(id)).IsNew);
            _engine.Time.Advance(TimeSpan.FromDays(20));
        }

        Assert.True((await _engine.LoadAsync(id)).IsNew);
    }

    [Fact]
    public async Task Each_commit_keeps_the_lifetime_that_the_session_has()
    {
        var session = await _engine.LoadAsync(await RememberedAsync());
        session["n"] = 1;
        await session.CommitAsync(Token);
        Assert.Equal(Month, Stored(session).IdleTimeout);
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(Token);
        Assert.Equal(Month, Stored(session).IdleTimeout);
        Assert.Equal(TimeSpan.FromDays(90), Stored(session).AbsoluteDeadline - Stored(session).CreatedAt);
    }

    [Fact]
    public async Task A_new_lifetime_alone_is_a_commit_of_a_stored_session_and_makes_no_new_one()
    {
        var stored = await _engine.LoadAsync(await _engine.StoredAsync());
        stored.IdleTimeout = Month;
        await stored.CommitAsync(Token);
        Assert.Equal(Month, Stored(stored).IdleTimeout);

        var count = _engine.Store.Count;
        var fresh = _engine.Manager.Create();
        fresh.IdleTimeout = Month;
        await fresh.CommitAsync(Token);
        Assert.Equal(count, _engine.Store.Count);
    }

    [Fact]
    public async Task A_conflict_keeps_what_both_requests_wanted()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.IdleTimeout = Month;
        await _engine.OtherAsync(id, other => other["n"] = 2);
        await session.CommitAsync(Token);
        Assert.Equal("{n: 2}", _engine.Stored(id));
        Assert.Equal(Month, Stored(session).IdleTimeout);
    }

    [Fact]
    public async Task A_failed_request_and_a_failed_update_change_no_lifetime()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => session.UpdateAsync(
            s =>
            {
                s.IdleTimeout = Month;
                throw new InvalidOperationException();
            },
            Token).AsTask());
        Assert.Equal(_engine.Options.IdleTimeout, session.IdleTimeout);
        session.IdleTimeout = Month;
        SessionManager.Rollback(session);
        await session.CommitAsync(Token);
        Assert.Null(Stored(session).IdleTimeout);
    }

    [Theory]
    [InlineData("00:00:00.5")]
    [InlineData("-00:00:01")]
    [InlineData("3651.00:00:00")]
    public void A_lifetime_out_of_range_is_refused(string lifetime)
    {
        var session = _engine.Manager.Create();
        Assert.Throws<ArgumentOutOfRangeException>(() => session.IdleTimeout = TimeSpan.Parse(lifetime, null));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.AbsoluteTimeout = TimeSpan.Parse(lifetime, null));
    }

    [Fact]
    public async Task A_reader_changes_no_lifetime()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync(), SessionAccess.ReadOnly);
        Assert.Throws<InvalidOperationException>(() => session.IdleTimeout = Month);
        Assert.Throws<InvalidOperationException>(() => session.AbsoluteTimeout = Month);
        Assert.Throws<InvalidOperationException>(() => session.IsPersistent = true);
    }

    [Theory]
    [InlineData("00:00:01.2", "00:00:02")]
    [InlineData("04:33:03", "04:33:03")]
    [InlineData("04:33:03.1", "04:34:00")]
    [InlineData("30.00:00:00", "30.00:00:00")]
    [InlineData("365.00:00:00", "365.00:00:00")]
    [InlineData("3650.00:00:00", "3650.00:00:00")]
    public void A_lifetime_is_rounded_up_to_what_a_record_can_hold(string wanted, string held)
    {
        var session = _engine.Manager.Create();
        session.IdleTimeout = TimeSpan.Parse(wanted, null);
        Assert.Equal(TimeSpan.Parse(held, null), session.IdleTimeout);
    }

    [Fact]
    public async Task A_cookie_that_outlives_the_browser_is_sent_again_after_a_tenth_of_its_time_with_a_commit_that_proves_the_id()
    {
        var id = await RememberedAsync();
        _engine.Time.Advance(TimeSpan.FromDays(3));
        var soon = await _engine.LoadAsync(id);
        await soon.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(soon));

        _engine.Time.Advance(TimeSpan.FromMinutes(1));
        var later = await _engine.LoadAsync(id);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(later));
        await later.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Issue, SessionManager.CookieFor(later));
        Assert.Equal(id.Value, later.Id);

        var next = await _engine.LoadAsync(id);
        await next.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(next));
    }

    [Fact]
    public async Task A_cookie_is_not_sent_again_for_an_id_that_a_login_has_replaced_meanwhile()
    {
        var id = await RememberedAsync();
        _engine.Time.Advance(TimeSpan.FromDays(4));
        var slow = await _engine.LoadAsync(id);
        await _engine.OtherAsync(id, login => login.RegenerateId(deleteOld: true));
        await slow.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(slow));
    }

    [Fact]
    public async Task A_reader_does_not_send_the_cookie_again()
    {
        var id = await RememberedAsync();
        _engine.Time.Advance(TimeSpan.FromDays(4));
        var reader = await _engine.LoadAsync(id, SessionAccess.ReadOnly);
        await reader.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(reader));
    }

    [Fact]
    public async Task To_be_forgotten_again_the_cookie_is_sent_as_one_that_goes_with_the_browser()
    {
        var session = await _engine.LoadAsync(await RememberedAsync());
        session.IsPersistent = false;
        await session.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Issue, SessionManager.CookieFor(session));
        Assert.False((await _engine.LoadAsync(session.SessionId)).IsPersistent);
    }

    [Fact]
    public async Task Clearing_the_values_forgets_neither_the_lifetime_nor_the_cookie()
    {
        var session = await _engine.LoadAsync(await RememberedAsync());
        session.Clear();
        await session.CommitAsync(Token);
        var cleared = await _engine.LoadAsync(session.SessionId);
        Assert.Empty(cleared.All());
        Assert.Equal((Month, true), (cleared.IdleTimeout, cleared.IsPersistent));
    }

    [Theory]
    [InlineData("_session")]
    [InlineData("_session.cookie")]
    [InlineData("_flash")]
    [InlineData("_flash.new")]
    public void What_the_library_keeps_in_a_session_is_out_of_an_applications_reach(string key)
    {
        var session = _engine.Manager.Create();
        session.IsPersistent = true;
        Assert.Throws<ArgumentException>(() => session[key] = 1);
        Assert.Throws<ArgumentException>(() => session.Remove(key));
        Assert.Throws<ArgumentException>(() => session.Literals.Set(key, [1]));
        session.Literals.Remove(key);
        Assert.False(session.Literals.TryGet(key, out _));
        Assert.Empty(session.Literals.Keys);
        Assert.Empty(session.All());
        Assert.True(session.IsPersistent);
    }

    private SessionRecord Stored(Session session) => _engine.Store.Peek(SessionKey.From(session.SessionId))!;

    private async Task<SessionId> RememberedAsync()
    {
        var session = _engine.Manager.Create();
        session["account.current_user_id"] = 7;
        (session.IdleTimeout, session.AbsoluteTimeout, session.IsPersistent) = (Month, TimeSpan.FromDays(90), true);
        await session.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Issue, SessionManager.CookieFor(session));
        return session.SessionId;
    }
}
