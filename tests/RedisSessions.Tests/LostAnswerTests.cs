using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>A commit whose answer was lost has been stored or has not; whichever it was, it is applied once.</summary>
public sealed class LostAnswerTests
{
    private readonly Engine _engine = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_commit_is_applied_once()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.LoseNextAnswer();
        await session.CommitAsync(Token);
        Assert.Equal("{n: 2}", _engine.Stored(id));
        Assert.Equal(2, session["n"] as long?);
    }

    [Fact]
    public async Task A_commit_is_applied_once_although_others_have_committed_since()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.LoseNextAnswer(async () =>
        {
            for (var i = 0; i < 7; i++)
                await _engine.OtherAsync(id, other => other.Increment("n", 10));
        });
        await session.CommitAsync(Token);
        Assert.Equal("{n: 72}", _engine.Stored(id));
    }

    [Fact]
    public async Task When_too_many_have_committed_since_the_outcome_is_unknown_and_said_to_be()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.LoseNextAnswer(async () =>
        {
            for (var i = 0; i < 8; i++)
                await _engine.OtherAsync(id, other => other.Increment("n", 10));
        });
        await Assert.ThrowsAsync<SessionStoreException>(async () => await session.CommitAsync(Token));
        Assert.Equal("{n: 82}", _engine.Stored(id));
    }

    [Fact]
    public async Task After_an_unknown_outcome_the_same_changes_are_not_committed_a_second_time()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.GivesUpOnLostAnswers = true;
        _engine.Handler.LoseNextAnswer();
        await Assert.ThrowsAsync<SessionStoreException>(async () => await session.CommitAsync(Token));
        // An endpoint that swallows the failure: at the end of the request its session is committed once more.
        await Assert.ThrowsAsync<SessionStoreException>(async () => await session.CommitAsync(Token));
        Assert.Equal("{n: 2}", _engine.Stored(id));

        // A rolled back request may go on: what it writes then is something else.
        SessionManager.Rollback(session);
        session["other"] = true;
        await session.CommitAsync(Token);
        Assert.Equal("{n: 2, other: true}", _engine.Stored(id));
    }

    [Fact]
    public async Task A_last_try_that_finds_itself_stored_has_not_given_up()
    {
        var engine = new Engine(options => options.CommitTries = 1);
        var id = await engine.StoredAsync(("n", 1));
        var session = await engine.LoadAsync(id);
        session.Increment("n");
        engine.Handler.LoseNextAnswer();
        await session.CommitAsync(Token);
        Assert.Equal("{n: 2}", engine.Stored(id));
    }

    [Fact]
    public async Task An_update_is_applied_once_and_its_answer_is_its_own()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        _engine.Handler.LoseNextAnswer(() => _engine.OtherAsync(id, other => other.Increment("n", 10)));
        Assert.Equal(2, await session.UpdateAsync(s => s.Increment("n"), Token));
        Assert.Equal("{n: 12}", _engine.Stored(id));
    }

    [Fact]
    public async Task A_new_session_is_created_once()
    {
        var session = _engine.Manager.Create();
        session["a"] = 1;
        _engine.Handler.LoseNextAnswer();
        await session.CommitAsync(Token);
        Assert.Equal("{a: 1}", _engine.Stored(session.SessionId));
        Assert.Equal(1, _engine.Store.Count);
        Assert.Equal(SessionCookieAction.Issue, SessionManager.CookieFor(session));
    }

    [Fact]
    public async Task Destroying_is_done()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var session = await _engine.LoadAsync(id);
        session.Destroy(expireCookie: true);
        _engine.Handler.LoseNextAnswer();
        await session.CommitAsync(Token);
        Assert.Equal("Ended", _engine.Stored(id));
        Assert.Equal(SessionCookieAction.Expire, SessionManager.CookieFor(session));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_login_gets_its_new_id_whichever_of_its_two_answers_is_lost(int which)
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        session.RegenerateId(deleteOld: true);
        _engine.Handler.LosesAnswer = _ => Task.FromResult(_engine.Handler.Log.Count == which + 1);
        await session.CommitAsync(Token);
        Assert.Equal("Replaced", _engine.Stored(id));
        Assert.Equal("{n: 2}", _engine.Stored(session.SessionId));
        Assert.Equal(SessionCookieAction.Issue, SessionManager.CookieFor(session));

        session.Increment("n");
        await session.CommitAsync(Token);
        Assert.Equal("{n: 3}", _engine.Stored(session.SessionId));
    }

    [Fact]
    public async Task A_commit_that_was_stored_before_the_session_ended_was_no_conflict()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.LoseNextAnswer(() => _engine.OtherAsync(id, other => other.Destroy()));
        await session.CommitAsync(Token);
        Assert.Equal("Ended", _engine.Stored(id));
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(session));
    }

    [Fact]
    public async Task A_record_that_is_on_its_way_stays_as_it_is_whatever_the_request_goes_on_to_write()
    {
        var id = await _engine.StoredAsync(("n", 1), ("a.b", 1));
        var session = await _engine.LoadAsync(id);
        session.Set("a.b", 2);
        await session.CommitAsync(Token);
        session.Set("a.b", 3);
        session.Set("more", 4);
        _engine.Handler.LoseNextAnswer();
        _engine.Handler.GivesUpOnLostAnswers = true;
        await Assert.ThrowsAsync<SessionStoreException>(async () => await session.CommitAsync(Token));
        session.Set("a.b", 5);
        session.Remove("n");
        Assert.Equal(5, session.Get<int>("a.b"));
        // What nobody has looked at so far.
        Assert.Equal(
            ["{a: {b: 2}, n: 1}", "{a: {b: 3}, more: 4, n: 1}"],
            _engine.Handler.Log.Select(commit => Values.Given.Text(_engine.Manager.Open(commit.Record, commit.Key))));
        Assert.Equal(_engine.Handler.Log[1].Record.Payload.ToArray(), RecordFormat.Write(_engine.Handler.Log[1].Record)[RecordFormat.HeaderLength..]);
    }

    [Fact]
    public async Task A_commit_that_arrives_once_more_much_later_changes_nothing()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        await session.CommitAsync(Token);
        await _engine.OtherAsync(id, other => other.Destroy());
        var late = _engine.Handler.Log[0];
        foreach (var wait in new[] { TimeSpan.Zero, TimeSpan.FromHours(1) })
        {
            _engine.Time.Advance(wait);
            var before = _engine.Stored(id);
            await _engine.Store.CommitAsync(late.Key, late.Expected, late.Record, TimeSpan.FromHours(1), Token);
            Assert.Equal(before, _engine.Stored(id));
        }
    }
}
