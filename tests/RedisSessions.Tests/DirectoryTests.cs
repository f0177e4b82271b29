using System.Net;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>The sessions of a user: seen, and ended from outside, whatever goes on in them.</summary>
public sealed class DirectoryTests
{
    private const string User = "42";
    private readonly Engine _engine = new();
    private readonly SessionManager _manager;
    private readonly SessionDirectory _directory;

    public DirectoryTests()
    {
        _manager = _engine.Other;
        _directory = new SessionDirectory(_manager);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_user_sees_their_sessions_and_nobody_elses()
    {
        var first = await SignedInAsync(42, "Firefox");
        _engine.Time.Advance(TimeSpan.FromMinutes(5));
        var second = await SignedInAsync(42, "Safari");
        await SignedInAsync(7, "Chrome");
        await _engine.StoredAsync(("cart", 1));

        var sessions = await _directory.ListAsync(User, first, Token);
        Assert.Equal(["Safari", "Firefox"], sessions.Select(session => session.UserAgent));
        Assert.Equal([false, true], sessions.Select(session => session.IsCurrent));
        Assert.Equal([second.Key, first.Key], sessions.Select(session => session.Key));
        Assert.Equal(first.CreatedAt, sessions[1].CreatedAt);
        Assert.Equal(TimeSpan.FromMinutes(5), sessions[0].LastSeenAt - sessions[1].LastSeenAt);
    }

    [Fact]
    public async Task Looking_keeps_no_session_alive()
    {
        await SignedInAsync(42);
        for (var i = 0; i < 3; i++)
        {
            _engine.Time.Advance(TimeSpan.FromMinutes(7));
            Assert.Equal(i < 2 ? 1 : 0, (await _directory.ListAsync(User, null, Token)).Count);
        }
    }

    [Fact]
    public async Task What_a_key_says_opens_nothing()
    {
        var session = await SignedInAsync(42);
        var key = Assert.Single(await _directory.ListAsync(User, null, Token)).Key;
        Assert.True(SessionId.TryParse(key.Value, out var tried));
        Assert.NotEqual(session.Id, key.Value);
        Assert.True((await _manager.LoadAsync(tried, cancellationToken: Token)).IsNew);
    }

    [Fact]
    public async Task One_session_is_ended_for_good_and_only_by_its_own_user()
    {
        var (one, other) = (await SignedInAsync(42), await SignedInAsync(42));
        Assert.False(await _directory.EndAsync("7", one.Key, Token));
        Assert.True(await _directory.EndAsync(User, one.Key, Token));
        Assert.False(await _directory.EndAsync(User, one.Key, Token));
        Assert.Equal("Ended", _engine.Stored(one.SessionId));
        Assert.Equal(other.Key, Assert.Single(await _directory.ListAsync(User, null, Token)).Key);
        // A request under way in it has nowhere to store what it does, and its response sets no cookie.
        one["late"] = true;
        Assert.True((await Assert.ThrowsAsync<SessionConflictException>(() => one.CommitAsync(Token).AsTask())).SessionEnded);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(one));
    }

    [Fact]
    public async Task All_others_are_ended_and_this_one_stays()
    {
        var here = await SignedInAsync(42);
        for (var i = 0; i < 5; i++)
            await SignedInAsync(42);
        var somebody = await SignedInAsync(7);
        Assert.Equal(5, await _directory.EndOthersAsync(here, Token));
        Assert.True(Assert.Single(await _directory.ListAsync(User, here, Token)).IsCurrent);
        Assert.False((await _manager.LoadAsync(somebody.SessionId, cancellationToken: Token)).IsNew);
        Assert.Equal(0, await _directory.EndOthersAsync(_manager.Create(), Token));
    }

    [Fact]
    public async Task After_a_change_of_password_all_are_ended()
    {
        var sessions = new[] { await SignedInAsync(42), await SignedInAsync(42), await SignedInAsync(42) };
        Assert.Equal(3, await _directory.EndAllAsync(User, Token));
        foreach (var session in sessions)
            Assert.Equal("new", await _engine.SeenAsync(session.SessionId));
    }

    [Fact]
    public async Task Whoever_commits_meanwhile_does_not_escape()
    {
        var session = await SignedInAsync(42);
        var handler = new TroubledHandler(_engine.Store);
        var directory = new SessionDirectory(_engine.New(new Indexed(handler, _engine.Store)));
        var commits = 0;
        handler.BeforeCommit = async _ =>
        {
            if (++commits <= 3)
                await _engine.OtherAsync(session.SessionId, busy => busy.Increment("n"));
        };
        Assert.Equal(1, await directory.EndAllAsync(User, Token));
        Assert.Equal(4, commits);
        Assert.Equal("Ended", _engine.Stored(session.SessionId));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_that_gets_a_new_id_meanwhile_does_not_escape(bool deleteOld)
    {
        var session = await SignedInAsync(42);
        var handler = new TroubledHandler(_engine.Store);
        var directory = new SessionDirectory(_engine.New(new Indexed(handler, _engine.Store)));
        Session? moved = null;
        handler.Before(async () =>
        {
            moved = await _manager.LoadAsync(session.SessionId, cancellationToken: Token);
            moved.RegenerateId(deleteOld);
            await moved.CommitAsync(Token);
        });
        Assert.Equal(1, await directory.EndAllAsync(User, Token));
        Assert.Equal("Ended", _engine.Stored(moved!.SessionId));
        Assert.Equal("new", await _engine.SeenAsync(session.SessionId));
    }

    [Fact]
    public async Task A_lost_answer_ends_a_session_once()
    {
        await SignedInAsync(42);
        var handler = new TroubledHandler(_engine.Store);
        var directory = new SessionDirectory(_engine.New(new Indexed(handler, _engine.Store)));
        handler.LoseNextAnswer();
        Assert.Equal(1, await directory.EndAllAsync(User, Token));
    }

    [Fact]
    public async Task Who_signs_out_or_becomes_another_user_is_found_no_more()
    {
        var (leaves, changes) = (await SignedInAsync(42), await SignedInAsync(42));
        leaves.Destroy();
        await leaves.CommitAsync(Token);
        changes["account.current_user_id"] = 7;
        await changes.CommitAsync(Token);
        Assert.Empty(await _directory.ListAsync(User, null, Token));
        Assert.Equal(changes.Key, Assert.Single(await _directory.ListAsync("7", null, Token)).Key);
    }

    [Fact]
    public async Task The_browser_is_kept_from_the_login_and_cut_to_what_is_sensible()
    {
        var visitor = _manager.Create();
        visitor.UserAgent = "Before";
        visitor["cart"] = 1;
        await visitor.CommitAsync(Token);
        Assert.Equal("{cart: 1}", _engine.Stored(visitor.SessionId));

        visitor.UserAgent = new string('x', 1000);
        visitor["account.current_user_id"] = 42;
        await visitor.CommitAsync(Token);
        Assert.Equal(256, Assert.Single(await _directory.ListAsync(User, null, Token)).UserAgent!.Length);

        // Another browser with the same cookie does not rename the session; a new login does.
        var later = await _manager.LoadAsync(visitor.SessionId, cancellationToken: Token);
        later.UserAgent = "Later";
        later["n"] = 1;
        await later.CommitAsync(Token);
        Assert.Equal(256, Assert.Single(await _directory.ListAsync(User, null, Token)).UserAgent!.Length);
        later.RegenerateId(deleteOld: true);
        await later.CommitAsync(Token);
        Assert.Equal("Later", Assert.Single(await _directory.ListAsync(User, null, Token)).UserAgent);
    }

    [Fact]
    public async Task The_address_and_the_time_are_those_of_the_login_and_a_new_id_changes_neither_who_nor_when()
    {
        var visitor = _manager.Create();
        visitor.ClientAddress = IPAddress.Parse("192.0.2.1");
        visitor["cart"] = 1;
        await visitor.CommitAsync(Token);
        Assert.True(_engine.Store.Peek(visitor.Key)!.Notes.IsEmpty);

        _engine.Time.Advance(TimeSpan.FromMinutes(1));
        var signedIn = _engine.Time.GetUtcNow();
        visitor.ClientAddress = IPAddress.Parse("2001:db8::7");
        visitor["account.current_user_id"] = 42;
        visitor.RegenerateId(deleteOld: true);
        await visitor.CommitAsync(Token);
        Assert.Equal(("2001:db8::7", signedIn), await ListedAsync());

        _engine.Time.Advance(TimeSpan.FromMinutes(1));
        visitor["cart"] = 2;
        await visitor.CommitAsync(Token);
        Assert.Equal(("2001:db8::7", signedIn), await ListedAsync());
        visitor.ClientAddress = IPAddress.Parse("192.0.2.3");
        visitor.RegenerateId();
        await visitor.CommitAsync(Token);
        Assert.Equal(("192.0.2.3", signedIn), await ListedAsync());

        _engine.Time.Advance(TimeSpan.FromMinutes(1));
        visitor["account.current_user_id"] = 7;
        await visitor.CommitAsync(Token);
        Assert.Empty(await _directory.ListAsync(User, null, Token));
        Assert.Equal(signedIn + TimeSpan.FromMinutes(2), Assert.Single(await _directory.ListAsync("7", null, Token)).SignedInAt);
        visitor.Remove("account.current_user_id");
        await visitor.CommitAsync(Token);
        Assert.True(_engine.Store.Peek(visitor.Key)!.Notes.IsEmpty);

        async Task<(string?, DateTimeOffset?)> ListedAsync()
        {
            var session = Assert.Single(await _directory.ListAsync(User, null, Token));
            return (session.ClientAddress, session.SignedInAt);
        }
    }

    [Fact]
    public async Task No_payload_is_read_to_list_sessions_or_to_end_them()
    {
        var session = await SignedInAsync(42, "Firefox");
        var bytes = RecordFormat.Write(_engine.Store.Peek(session.Key)!);
        bytes[^1] = 0xc1;
        _engine.Store.Plant(session.Key, bytes);
        await Assert.ThrowsAsync<SessionStoreException>(() => _manager.LoadAsync(session.SessionId, cancellationToken: Token).AsTask());
        Assert.Equal("Firefox", Assert.Single(await _directory.ListAsync(User, null, Token)).UserAgent);
        Assert.Equal(1, await _directory.EndAllAsync(User, Token));
        Assert.Equal(SessionState.Ended, _engine.Store.Peek(session.Key)!.State);
    }

    [Fact]
    public async Task The_index_learns_of_a_session_when_its_user_its_key_or_its_deadline_is_new_and_at_no_other_commit()
    {
        var handler = new TroubledHandler(_engine.Store);
        var manager = _engine.New(handler);
        var session = manager.Create();
        session["cart"] = 1;
        await session.CommitAsync(Token);
        session["account.current_user_id"] = 42;
        await session.CommitAsync(Token);
        session["cart"] = 2;
        await session.CommitAsync(Token);
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(Token);
        session["cart"] = 3;
        await session.CommitAsync(Token);
        session.AbsoluteTimeout = TimeSpan.FromDays(90);
        await session.CommitAsync(Token);
        Assert.Equal([false, true, false, true, false, false, true], handler.Log.Select(commit => commit.Record.IndexUser));
        Assert.Equal([null, User, User, User, null, User, User], handler.Log.Select(commit => commit.Record.UserId));
    }

    [Fact]
    public async Task A_handler_without_an_index_says_so()
    {
        var directory = new SessionDirectory(_engine.New(new TroubledHandler(_engine.Store)));
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => directory.ListAsync(User, null, Token).AsTask());
        Assert.Contains(nameof(ISessionIndex), e.Message, StringComparison.Ordinal);
    }

    private async Task<Session> SignedInAsync(int user, string? agent = null)
    {
        var session = _manager.Create();
        session["account.current_user_id"] = user;
        session.UserAgent = agent;
        await session.CommitAsync(Token);
        return session;
    }

    /// <summary>A handler with the index of a store.</summary>
    private sealed class Indexed(ISessionHandler handler, ISessionIndex index) : ISessionHandler, ISessionIndex
    {
        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) => handler.ReadAsync(key, idleTimeout, cancellationToken);

        public ValueTask<CommitResult> CommitAsync(SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
            handler.CommitAsync(key, expected, record, idleTimeout, cancellationToken);

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => handler.DeleteAsync(key, cancellationToken);

        public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken) => index.FindAsync(userId, cancellationToken);
    }
}
