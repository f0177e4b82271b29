using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>A flashed value is there for the request that flashed it and for the next one.</summary>
public sealed class FlashTests
{
    private readonly Engine _engine = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_flashed_value_is_there_for_the_next_request_and_gone_after_it()
    {
        var session = _engine.Manager.Create();
        session.Flash("message", "saved");
        Assert.Equal("saved", session["message"]);
        await session.CommitAsync(Token);

        Assert.Equal("saved", await NextAsync(session.SessionId, s => s["message"]));
        Assert.Null(await NextAsync(session.SessionId, s => s["message"]));
        Assert.Equal("{}", _engine.Stored(session.SessionId));
    }

    [Fact]
    public async Task A_next_request_that_only_reads_something_else_ages_it_too()
    {
        var id = await FlashedAsync("message");
        Assert.Null(await NextAsync(id, s => s["unrelated"]));
        Assert.Equal("{}", _engine.Stored(id));
    }

    [Fact]
    public async Task A_request_with_read_only_access_sees_it_and_does_not_age_it()
    {
        var id = await FlashedAsync("message");
        var reader = await _engine.LoadAsync(id, SessionAccess.ReadOnly);
        Assert.Equal("saved", reader["message"]);
        await reader.CommitAsync(Token);
        Assert.Equal("saved", await NextAsync(id, s => s["message"]));
    }

    [Fact]
    public async Task Reflash_keeps_all_for_one_more_request()
    {
        var id = await FlashedAsync("a", "b");
        await NextAsync(id, s => { s.Reflash(); return s["a"]; });
        Assert.Equal(("saved", "saved"), await NextAsync(id, s => (s["a"], s["b"])));
        Assert.Equal((null, null), await NextAsync(id, s => (s["a"], s["b"])));
    }

    [Fact]
    public async Task Keep_keeps_some()
    {
        var id = await FlashedAsync("a", "b");
        await NextAsync(id, s => { s.Keep("a"); return s["a"]; });
        Assert.Equal(("saved", null), await NextAsync(id, s => (s["a"], s["b"])));
        Assert.Equal((null, null), await NextAsync(id, s => (s["a"], s["b"])));
    }

    [Fact]
    public async Task Parallel_requests_both_see_it_and_age_it_once()
    {
        var id = await FlashedAsync("message");
        var first = await _engine.LoadAsync(id);
        var second = await _engine.LoadAsync(id);
        Assert.Equal("saved", first["message"]);
        Assert.Equal("saved", second["message"]);
        await first.CommitAsync(Token);
        second["mine"] = 1;
        await second.CommitAsync(Token);
        Assert.Equal("{mine: 1}", _engine.Stored(id));
    }

    [Fact]
    public async Task Reading_inside_a_flashed_map_is_no_decision_either_but_reading_beside_it_is()
    {
        var session = _engine.Manager.Create();
        session.Flash("form", new { Name = "x" });
        session["formal"] = 1;
        await session.CommitAsync(Token);

        var slow = await _engine.LoadAsync(session.SessionId);
        Assert.True(slow.Has("form.Name"));
        Assert.Equal("x", slow["form.Name"]);
        await _engine.OtherAsync(session.SessionId, _ => { });
        slow["mine"] = 1;
        await slow.CommitAsync(Token);

        Assert.Equal(1, slow["formal"] as long?);
        await _engine.OtherAsync(session.SessionId, other => other["formal"] = 2);
        slow["mine"] = 2;
        await Assert.ThrowsAsync<SessionConflictException>(async () => await slow.CommitAsync(Token));
    }

    [Fact]
    public async Task What_a_parallel_request_flashes_is_there_for_the_next_one()
    {
        var id = await FlashedAsync("message");
        var slow = await _engine.LoadAsync(id);
        await _engine.OtherAsync(id, other => other.Flash("message", "anew"));
        await slow.CommitAsync(Token);
        Assert.Equal("anew", await NextAsync(id, s => s["message"]));
        Assert.Null(await NextAsync(id, s => s["message"]));
    }

    [Fact]
    public async Task Ageing_alone_refuses_no_request()
    {
        var id = await FlashedAsync("message");
        var session = await _engine.LoadAsync(id);
        Assert.Null(session["n"]);
        await _engine.OtherAsync(id, other => other["n"] = 1);
        await session.CommitAsync(Token);
        Assert.Equal("{n: 1}", _engine.Stored(id));
    }

    [Fact]
    public async Task Ageing_alone_does_not_mind_that_the_session_has_ended()
    {
        var id = await FlashedAsync("message");
        var session = await _engine.LoadAsync(id);
        _ = session["message"];
        await _engine.OtherAsync(id, other => other.Destroy());
        await session.CommitAsync(Token);
        Assert.Equal("Ended", _engine.Stored(id));
    }

    [Fact]
    public async Task Several_commits_of_one_request_age_once()
    {
        var session = await _engine.LoadAsync(await FlashedAsync("old"));
        session.Flash("first", "saved");
        await session.CommitAsync(Token);
        Assert.Null(session["old"]);
        session.Flash("second", "saved");
        await session.CommitAsync(Token);
        Assert.Equal(("saved", "saved"), await NextAsync(session.SessionId, s => (s["first"], s["second"])));
        Assert.Equal((null, null), await NextAsync(session.SessionId, s => (s["first"], s["second"])));
    }

    [Fact]
    public async Task A_flashed_value_moves_along_to_a_new_id()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync(("a", 1)));
        session.Flash("welcome", "hello");
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(Token);
        Assert.Equal("hello", await NextAsync(session.SessionId, s => s["welcome"]));
        Assert.Null(await NextAsync(session.SessionId, s => s["welcome"]));
    }

    [Fact]
    public async Task A_flashed_value_that_is_set_again_by_the_next_request_still_goes()
    {
        var id = await FlashedAsync("message");
        await NextAsync(id, s => s["message"] = "changed");
        Assert.Null(await NextAsync(id, s => s["message"]));
    }

    [Fact]
    public async Task The_bookkeeping_is_not_shown_and_not_written_to()
    {
        var session = await _engine.LoadAsync(await FlashedAsync("message"));
        Assert.Equal(["message"], session.All().Keys);
        foreach (var key in new[] { "_flash", "_flash.new", "_flash.old.0" })
        {
            Assert.Throws<ArgumentException>(() => session[key] = 1);
            Assert.Throws<ArgumentException>(() => session.Remove(key));
            Assert.Throws<ArgumentException>(() => session.Flash(key, 1));
            Assert.Throws<ArgumentException>(() => session.Increment(key));
            Assert.Throws<ArgumentException>(() => session.Push(key, 1));
            Assert.Throws<ArgumentException>(() => session.Pull<object>(key));
        }

        session["_flashy"] = 1;
        Assert.Equal(["_flashy", "message"], session.All().Keys.Order());
    }

    private async Task<SessionId> FlashedAsync(params string[] keys)
    {
        var session = _engine.Other.Create();
        foreach (var key in keys)
            session.Flash(key, "saved");
        await session.CommitAsync(Token);
        return session.SessionId;
    }

    private async Task<T> NextAsync<T>(SessionId id, Func<Session, T> request)
    {
        var session = await _engine.LoadAsync(id);
        var answer = request(session);
        await session.CommitAsync(Token);
        return answer;
    }
}
