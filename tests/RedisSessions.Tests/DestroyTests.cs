using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

public sealed class DestroyTests
{
    private readonly Engine _engine = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, SessionCookieAction.Expire)]
    [InlineData(false, SessionCookieAction.Keep)]
    public async Task A_destroyed_session_reads_as_nothing(bool expireCookie, SessionCookieAction cookie)
    {
        var id = await _engine.StoredAsync(("a", 1));
        var session = await _engine.LoadAsync(id);
        session.Destroy(expireCookie);
        Assert.Empty(session.All());
        await session.CommitAsync(Token);
        Assert.Equal(cookie, SessionManager.CookieFor(session));
        Assert.Equal("Ended", _engine.Stored(id));
        Assert.Equal("new", await _engine.SeenAsync(id));
    }

    [Fact]
    public async Task What_ends_a_session_keeps_none_of_its_values()
    {
        var id = await _engine.StoredAsync(("secret", "value"));
        await _engine.OtherAsync(id, session => session.Destroy());
        Assert.Equal(0, _engine.Store.Peek(SessionKey.From(id))!.Payload.Length);
    }

    [Fact]
    public async Task A_slow_request_does_not_bring_a_destroyed_session_back()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var slow = await _engine.LoadAsync(id);
        slow["late"] = true;
        await _engine.OtherAsync(id, session => session.Destroy());
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(async () => await slow.CommitAsync(Token));
        Assert.True(conflict.SessionEnded);
        Assert.Equal("Ended", _engine.Stored(id));
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(slow));
        Assert.Empty(slow.All());

        slow["once more"] = true;
        await Assert.ThrowsAsync<SessionConflictException>(async () => await slow.CommitAsync(Token));
        Assert.Equal(1, _engine.Store.Count);
    }

    [Fact]
    public async Task A_slow_request_does_not_bring_a_session_back_whose_closed_record_has_expired_too()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var slow = await _engine.LoadAsync(id);
        slow["late"] = true;
        await _engine.OtherAsync(id, session => session.Destroy());
        _engine.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(0, _engine.Store.Count);
        await Assert.ThrowsAsync<SessionConflictException>(async () => await slow.CommitAsync(Token));
        Assert.Equal(0, _engine.Store.Count);
    }

    [Fact]
    public async Task A_closed_record_lives_two_minutes()
    {
        var id = await _engine.StoredAsync(("a", 1));
        await _engine.OtherAsync(id, session => session.Destroy());
        _engine.Time.Advance(TimeSpan.FromSeconds(119));
        Assert.Equal("Ended", _engine.Stored(id));
        _engine.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("nothing", _engine.Stored(id));
    }

    [Fact]
    public async Task Destroying_ends_the_newer_version_too()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var session = await _engine.LoadAsync(id);
        _ = session["a"];
        session.Destroy();
        await _engine.OtherAsync(id, other => other["a"] = 2);
        await session.CommitAsync(Token);
        Assert.Equal("Ended", _engine.Stored(id));
    }

    [Fact]
    public async Task Destroying_what_has_ended_meanwhile_is_done()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var session = await _engine.LoadAsync(id);
        session.Destroy(expireCookie: true);
        await _engine.OtherAsync(id, other => other.Destroy());
        await session.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Expire, SessionManager.CookieFor(session));
    }

    [Fact]
    public async Task Destroying_during_a_rotation_ends_the_session_under_its_new_id()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var session = await _engine.LoadAsync(id);
        session.Destroy();
        var rotated = await _engine.Other.LoadAsync(id, cancellationToken: Token);
        rotated.RegenerateId();
        await rotated.CommitAsync(Token);
        await session.CommitAsync(Token);
        Assert.Equal("Ended", _engine.Stored(rotated.SessionId));
        Assert.Equal("new", await _engine.SeenAsync(id));
    }

    [Fact]
    public async Task Destroying_a_session_that_was_never_stored_stores_nothing()
    {
        var session = _engine.Manager.Create();
        session["a"] = 1;
        session.Destroy(expireCookie: true);
        await session.CommitAsync(Token);
        Assert.Equal(0, _engine.Store.Commits);
        Assert.Equal(SessionCookieAction.Expire, SessionManager.CookieFor(session));
    }

    [Fact]
    public async Task A_destroyed_session_takes_no_changes_before_or_after_the_commit()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync(("a", 1)));
        session.Destroy();
        Assert.Throws<InvalidOperationException>(() => session["a"] = 1);
        Assert.Throws<InvalidOperationException>(() => session.RegenerateId());
        await session.CommitAsync(Token);
        Assert.Throws<InvalidOperationException>(() => session["a"] = 1);
        Assert.Throws<InvalidOperationException>(() => session.RegenerateId());
    }

    [Fact]
    public async Task Destroying_wins_over_a_new_id()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var session = await _engine.LoadAsync(id);
        session.RegenerateId(deleteOld: true);
        session.Destroy();
        await session.CommitAsync(Token);
        Assert.Equal("Ended", _engine.Stored(id));
        Assert.Equal(1, _engine.Store.Count);
    }
}
