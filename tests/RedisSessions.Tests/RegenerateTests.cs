using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>A new id: at login (the old one is dead) and by rotation (the old one leads on for a while).</summary>
public sealed class RegenerateTests
{
    private readonly Engine _engine = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task At_login_the_values_move_to_a_new_id_and_the_old_one_is_dead_at_once()
    {
        var old = await _engine.StoredAsync(("cart", 1));
        var session = await LoginAsync(old);
        Assert.NotEqual(old.Value, session.Id);
        Assert.Equal(SessionCookieAction.Issue, SessionManager.CookieFor(session));
        Assert.Equal("{cart: 1, user: 42}", _engine.Stored(session.SessionId));
        Assert.Equal("Replaced", _engine.Stored(old));
        Assert.Equal("new", await _engine.SeenAsync(old));
    }

    [Fact]
    public async Task A_request_under_way_with_an_id_that_was_replaced_is_refused_and_gets_no_cookie()
    {
        var old = await _engine.StoredAsync(("cart", 1));
        var slow = await _engine.LoadAsync(old);
        slow["late"] = true;
        var login = await LoginAsync(old);
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(async () => await slow.CommitAsync(Token));
        Assert.True(conflict.SessionEnded);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(slow));
        Assert.Equal("{cart: 1, user: 42}", _engine.Stored(login.SessionId));
    }

    [Fact]
    public async Task Under_LastWriteWins_a_late_writer_is_not_refused_but_its_changes_still_have_no_place()
    {
        var engine = new Engine(options => options.OnConflict = ConflictBehavior.LastWriteWins);
        var id = await engine.StoredAsync(("cart", 1));
        var slow = await engine.LoadAsync(id);
        slow["late"] = true;
        await engine.OtherAsync(id, other => other.Destroy());
        await slow.CommitAsync(Token);
        Assert.Equal("Ended", engine.Stored(id));
        Assert.Equal(1, engine.Store.Count);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(slow));
    }

    [Fact]
    public async Task A_later_request_with_a_replaced_id_may_not_begin_a_session_unless_it_takes_a_new_id()
    {
        var old = await _engine.StoredAsync(("cart", 1));
        await LoginAsync(old);
        var count = _engine.Store.Count;

        var late = await _engine.LoadAsync(old);
        Assert.True(late.IsNew);
        late["a"] = 1;
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(async () => await late.CommitAsync(Token));
        Assert.True(conflict.SessionEnded);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(late));
        Assert.Equal(count, _engine.Store.Count);

        var again = await LoginAsync(old);
        Assert.Equal("{user: 42}", _engine.Stored(again.SessionId));
        Assert.Equal(SessionCookieAction.Issue, SessionManager.CookieFor(again));
    }

    [Fact]
    public async Task The_id_of_a_destroyed_session_begins_a_new_one_under_a_new_id()
    {
        var old = await _engine.StoredAsync(("cart", 1));
        await _engine.OtherAsync(old, session => session.Destroy());
        var next = await _engine.LoadAsync(old);
        next["a"] = 1;
        await next.CommitAsync(Token);
        Assert.NotEqual(old.Value, next.Id);
        Assert.Equal("Ended", _engine.Stored(old));
    }

    [Fact]
    public async Task A_change_that_was_committed_while_the_login_was_under_way_moves_along()
    {
        var old = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(old);
        session["user"] = 42;
        session.RegenerateId(deleteOld: true);
        // The third commit of the log is the second try of the new record; the other request hits between making it and closing the old one.
        _engine.Handler.BeforeCommit = commit =>
            commit.Key == SessionKey.From(old) && _engine.Handler.Log.Count == 2 ? _engine.OtherAsync(old, other => other.Increment("n")) : Task.CompletedTask;
        await session.CommitAsync(Token);
        Assert.Equal("{n: 2, user: 42}", _engine.Stored(session.SessionId));
        Assert.Equal("Replaced", _engine.Stored(old));
        Assert.Equal(4, _engine.Handler.Log.Count);
    }

    [Fact]
    public async Task A_login_that_is_refused_leaves_no_record_behind_and_the_old_session_as_it_was()
    {
        var old = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(old);
        session["user"] = session.Get<int>("n");
        session.RegenerateId(deleteOld: true);
        _engine.Handler.BeforeCommit = commit =>
            commit.Key == SessionKey.From(old) ? _engine.OtherAsync(old, other => other.Increment("n")) : Task.CompletedTask;
        await Assert.ThrowsAsync<SessionConflictException>(async () => await session.CommitAsync(Token));
        Assert.Equal("{n: 2}", _engine.Stored(old));
        Assert.Equal(1, _engine.Store.Count);
        Assert.Equal(old.Value, session.Id);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(session));
    }

    [Fact]
    public async Task After_a_rotation_the_old_id_leads_to_the_session_for_the_grace_time()
    {
        var old = await _engine.StoredAsync(("a", 1));
        var session = await RotateAsync(old);
        await _engine.OtherAsync(old, other => other["b"] = 2);
        Assert.Equal("Forward", _engine.Stored(old));
        Assert.Equal("{a: 1, b: 2}", _engine.Stored(session.SessionId));
        _engine.Time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal("{a: 1, b: 2}", await _engine.SeenAsync(old));
        _engine.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("new", await _engine.SeenAsync(old));
        Assert.Equal("{a: 1, b: 2}", await _engine.SeenAsync(session.SessionId));
    }

    [Fact]
    public async Task A_request_under_way_during_a_rotation_lands_in_the_same_session()
    {
        var old = await _engine.StoredAsync(("n", 1));
        var slow = await _engine.LoadAsync(old);
        slow.Increment("n");
        var rotated = await RotateAsync(old);
        await slow.CommitAsync(Token);
        Assert.Equal("{n: 2}", _engine.Stored(rotated.SessionId));
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(slow));
    }

    [Fact]
    public async Task Two_rotations_at_once_are_one_and_land_in_the_same_session()
    {
        var old = await _engine.StoredAsync(("a", 1));
        var second = await _engine.LoadAsync(old);
        second["b"] = 2;
        second.RegenerateId();
        var first = await RotateAsync(old);
        await second.CommitAsync(Token);
        Assert.Equal("{a: 1, b: 2}", _engine.Stored(first.SessionId));
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(second));
        Assert.Equal(2, _engine.Store.Count);
    }

    [Fact]
    public async Task A_login_during_a_rotation_ends_the_rotated_id_too()
    {
        var old = await _engine.StoredAsync(("a", 1));
        var login = await _engine.LoadAsync(old);
        login["user"] = 42;
        login.RegenerateId(deleteOld: true);
        var rotated = await RotateAsync(old);
        await login.CommitAsync(Token);
        Assert.Equal("{a: 1, user: 42}", await _engine.SeenAsync(login.SessionId));
        Assert.Equal("new", await _engine.SeenAsync(rotated.SessionId));
        Assert.Equal("new", await _engine.SeenAsync(old));
    }

    [Fact]
    public async Task The_stronger_of_two_wishes_wins()
    {
        var old = await _engine.StoredAsync(("a", 1));
        var session = await _engine.LoadAsync(old);
        session.RegenerateId(deleteOld: true);
        session.RegenerateId(deleteOld: false);
        await session.CommitAsync(Token);
        Assert.Equal("Replaced", _engine.Stored(old));
    }

    private async Task<Session> LoginAsync(SessionId id)
    {
        var session = await _engine.LoadAsync(id);
        session["user"] = 42;
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(Token);
        return session;
    }

    private async Task<Session> RotateAsync(SessionId id)
    {
        var session = await _engine.Other.LoadAsync(id, cancellationToken: Token);
        session.RegenerateId();
        await session.CommitAsync(Token);
        return session;
    }
}
