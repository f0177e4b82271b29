using System.Text;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>Sessions that come from elsewhere: read once, made once, whoever else does so at the same time.</summary>
public sealed class ImportTests
{
    private readonly Engine _engine = new();
    private readonly SessionId _id = SessionId.New();
    private int _asked;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_values_are_there_and_are_stored_at_the_first_commit_although_nothing_was_changed()
    {
        var session = await ImportAsync();
        Assert.Equal("red", session.Get<string>("colour"));
        Assert.True(session.IsNew);
        Assert.Equal("nothing", _engine.Stored(_id));
        await session.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Issue, SessionManager.CookieFor(session));
        Assert.Equal(_id.Value, session.Id);
        Assert.Equal(1, _engine.Store.Commits);
        Assert.Equal("red", (await _engine.Other.LoadAsync(_id, cancellationToken: Token)).Get<string>("colour"));
    }

    [Fact]
    public async Task Once_it_is_here_it_is_not_asked_for_again()
    {
        await (await ImportAsync()).CommitAsync(Token);
        var again = await ImportAsync();
        Assert.Equal("red", again.Get<string>("colour"));
        Assert.Equal(1, _asked);
        // The response with the cookie may have been lost; a commit proves that the id is good, and sends it again.
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(again));
        again["n"] = 1;
        await again.CommitAsync(Token);
        Assert.Equal(SessionCookieAction.Issue, SessionManager.CookieFor(again));
    }

    [Fact]
    public async Task Requests_that_import_at_once_meet_in_one_session_and_lose_nothing()
    {
        var sessions = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ImportAsync().AsTask()));
        for (var i = 0; i < sessions.Length; i++)
        {
            sessions[i][$"k{i}"] = i;
            await sessions[i].CommitAsync(Token);
        }

        var all = (await _engine.Other.LoadAsync(_id, cancellationToken: Token)).All();
        Assert.Equal(11, all.Count);
    }

    [Fact]
    public async Task A_value_that_was_changed_since_does_not_come_back_by_a_late_import()
    {
        var (quick, slow) = (await ImportAsync(), await ImportAsync());
        quick.Set("colour", "blue");
        await quick.CommitAsync(Token);
        slow["n"] = 1;
        await slow.CommitAsync(Token);
        var seen = await _engine.Other.LoadAsync(_id, cancellationToken: Token);
        Assert.Equal("blue", seen.Get<string>("colour"));
        Assert.Equal(1, seen.Get<int>("n"));
    }

    [Fact]
    public async Task Who_decided_on_a_value_that_was_changed_since_is_refused()
    {
        var (quick, slow) = (await ImportAsync(), await ImportAsync());
        Assert.Equal("red", slow.Get<string>("colour"));
        slow["n"] = 1;
        quick.Set("colour", "blue");
        await quick.CommitAsync(Token);
        await Assert.ThrowsAsync<SessionConflictException>(() => slow.CommitAsync(Token).AsTask());
    }

    [Fact]
    public async Task A_login_leaves_the_imported_id_dead()
    {
        var session = await ImportAsync();
        session["account.current_user_id"] = 7;
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(Token);
        Assert.NotEqual(_id.Value, session.Id);
        Assert.Equal("Replaced", _engine.Stored(_id));
        var late = await ImportAsync();
        Assert.True(late.IsNew);
        Assert.False(late.Has("colour"));
        Assert.Equal(1, _asked);
    }

    [Fact]
    public async Task A_logout_in_the_importing_request_keeps_the_session_from_coming_back()
    {
        var session = await ImportAsync();
        session.Destroy(expireCookie: true);
        await session.CommitAsync(Token);
        Assert.Equal("Ended", _engine.Stored(_id));
        Assert.Equal(SessionCookieAction.Expire, SessionManager.CookieFor(session));
        Assert.False((await ImportAsync()).Has("colour"));
    }

    [Fact]
    public async Task A_reader_sees_the_values_and_stores_nothing()
    {
        var session = await _engine.Manager.ImportAsync(_id, Values, SessionAccess.ReadOnly, Token);
        Assert.Equal("red", session.Get<string>("colour"));
        await session.CommitAsync(Token);
        Assert.Equal("nothing", _engine.Stored(_id));
    }

    [Fact]
    public async Task What_is_not_elsewhere_either_is_a_new_session_with_an_id_of_its_own()
    {
        var session = await _engine.Manager.ImportAsync(_id, _ => new((IReadOnlyDictionary<string, byte[]>?)null), cancellationToken: Token);
        session["n"] = 1;
        await session.CommitAsync(Token);
        Assert.NotEqual(_id.Value, session.Id);
        Assert.Equal("nothing", _engine.Stored(_id));
    }

    [Fact]
    public async Task A_session_that_moves_while_it_is_looked_for_is_found()
    {
        // Not here yet; and when it is asked for elsewhere, another request has brought it here and removed it there.
        var late = await _engine.Manager.ImportAsync(
            _id,
            async token =>
            {
                var quick = await ImportAsync();
                quick["n"] = 1;
                await quick.CommitAsync(token);
                return null;
            },
            cancellationToken: Token);
        Assert.Equal((_id.Value, false, "red", 1), (late.Id, late.IsNew, late.Get<string>("colour"), late.Get<int>("n")));
        late["m"] = 2;
        await late.CommitAsync(Token);
        Assert.Equal(3, (await _engine.Other.LoadAsync(_id, cancellationToken: Token)).All().Count);
    }

    [Fact]
    public async Task A_lost_answer_makes_no_second_session_and_no_second_change()
    {
        var session = await ImportAsync();
        session.Increment("n");
        _engine.Handler.LoseNextAnswer();
        await session.CommitAsync(Token);
        Assert.Equal(1, (await _engine.Other.LoadAsync(_id, cancellationToken: Token)).Get<int>("n"));
    }

    [Fact]
    public async Task A_change_that_follows_the_import_is_not_taken_for_the_import()
    {
        // Between the two commits of an import somebody else commits, so that the second one meets a record with the first one's id in it.
        var session = await ImportAsync();
        session.Increment("n");
        var commits = 0;
        _engine.Handler.BeforeCommit = async _ =>
        {
            if (++commits == 2)
                await _engine.OtherAsync(_id, other => other.Increment("n"));
        };
        await session.CommitAsync(Token);
        Assert.Equal(2, (await _engine.Other.LoadAsync(_id, cancellationToken: Token)).Get<int>("n"));
    }

    private ValueTask<Session> ImportAsync() => _engine.Manager.ImportAsync(_id, Values, cancellationToken: Token);

    private ValueTask<IReadOnlyDictionary<string, byte[]>?> Values(CancellationToken cancellationToken)
    {
        _asked++;
        return new(new Dictionary<string, byte[]> { ["colour"] = Encoding.UTF8.GetBytes("red") });
    }
}
