using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>Moving sessions from one store to another while they are in use.</summary>
public sealed class ReadThroughTests
{
    private readonly Engine _old = new();
    private readonly MemorySessionHandler _new;
    private readonly SessionManager _manager;

    public ReadThroughTests()
    {
        _new = new MemorySessionHandler(_old.Time);
        _manager = _old.New(ReadThroughHandler.Create(_new, _old.Store));
    }

    private static TimeSpan Idle => TimeSpan.FromMinutes(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_of_the_old_store_is_read_there_and_moves_on_its_first_write()
    {
        var id = await _old.StoredAsync(("a", 1L), ("b", 2L));
        var session = await _manager.LoadAsync(id, cancellationToken: Token);
        Assert.Equal(1L, session["a"]);
        await session.CommitAsync(Token);
        Assert.Equal((1, 0), (_old.Store.Count, _new.Count));

        session["a"] = 3L;
        await session.CommitAsync(Token);
        Assert.Equal((0, 1), (_old.Store.Count, _new.Count));
        var again = await _manager.LoadAsync(id, cancellationToken: Token);
        Assert.Equal((3L, 2L, false), (again["a"], again["b"], again.IsNew));
        Assert.Equal(session.CreatedAt, again.CreatedAt);
    }

    [Fact]
    public async Task A_new_session_is_made_in_the_new_store()
    {
        var session = _manager.Create();
        session["a"] = 1;
        await session.CommitAsync(Token);
        Assert.Equal((0, 1), (_old.Store.Count, _new.Count));
    }

    [Fact]
    public async Task Requests_that_move_a_session_at_once_lose_nothing()
    {
        var id = await _old.StoredAsync(("n", 0L));
        var sessions = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ => await _manager.LoadAsync(id, cancellationToken: Token)));
        foreach (var session in sessions)
            await session.UpdateAsync(s => s["n"] = s.Get<long>("n") + 1, Token);
        Assert.Equal(20L, (await _manager.LoadAsync(id, cancellationToken: Token))["n"]);
        Assert.Equal((0, 1), (_old.Store.Count, _new.Count));
    }

    [Fact]
    public async Task A_session_that_another_instance_still_changes_in_the_old_store_is_a_conflict_like_any_other()
    {
        var id = await _old.StoredAsync(("n", 0L));
        var session = await _manager.LoadAsync(id, cancellationToken: Token);
        await _old.OtherAsync(id, other => other["n"] = 10L);
        await session.UpdateAsync(s => s["n"] = s.Get<long>("n") + 1, Token);
        Assert.Equal(11L, (await _manager.LoadAsync(id, cancellationToken: Token))["n"]);
    }

    [Fact]
    public async Task A_session_that_is_destroyed_is_gone_from_both_for_good()
    {
        var id = await _old.StoredAsync(("a", 1L));
        var late = await _manager.LoadAsync(id, cancellationToken: Token);
        var session = await _manager.LoadAsync(id, cancellationToken: Token);
        session.Destroy();
        await session.CommitAsync(Token);
        Assert.Equal(0, _old.Store.Count);
        late["a"] = 2L;
        Assert.True((await Assert.ThrowsAsync<SessionConflictException>(async () => await late.CommitAsync(Token))).SessionEnded);
        _old.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.True((await _manager.LoadAsync(id, cancellationToken: Token)).IsNew);
    }

    [Fact]
    public async Task A_login_moves_a_session_and_ends_its_old_id_in_both()
    {
        var id = await _old.StoredAsync(("cart", "full"));
        var session = await _manager.LoadAsync(id, cancellationToken: Token);
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(Token);
        Assert.Equal(0, _old.Store.Count);
        Assert.True((await _manager.LoadAsync(id, cancellationToken: Token)).IsNew);
        Assert.Equal("full", (await _manager.LoadAsync(session.SessionId, cancellationToken: Token))["cart"]);
    }

    [Fact]
    public async Task What_a_crash_in_the_middle_of_a_move_leaves_behind_stays_in_the_shadow()
    {
        var id = await _old.StoredAsync(("a", 1L));
        var leftover = _old.Store.Peek(SessionKey.From(id))!;
        var session = await _manager.LoadAsync(id, cancellationToken: Token);
        session["a"] = 2L;
        await session.CommitAsync(Token);
        await _old.Store.CommitAsync(SessionKey.From(id), SessionVersion.None, leftover, TimeSpan.FromMinutes(20), Token);

        Assert.Equal(2L, (await _manager.LoadAsync(id, cancellationToken: Token))["a"]);
        session = await _manager.LoadAsync(id, cancellationToken: Token);
        session.Destroy();
        await session.CommitAsync(Token);
        _old.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.True((await _manager.LoadAsync(id, cancellationToken: Token)).IsNew);
    }

    [Fact]
    public async Task The_sessions_of_a_user_are_found_in_both_stores_and_each_once_while_they_move()
    {
        var handler = ReadThroughHandler.Create(_new, _old.Store);
        var index = Assert.IsAssignableFrom<ISessionIndex>(handler);
        var (moves, stays, made) = (SessionKey.From(SessionId.New()), SessionKey.From(SessionId.New()), SessionKey.From(SessionId.New()));
        foreach (var key in new[] { moves, stays })
            await _old.Store.CommitAsync(key, SessionVersion.None, Of("ann", 1, index: true), Idle, Token);
        await handler.CommitAsync(made, SessionVersion.None, Of("ann", 1, index: true), Idle, Token);
        var leftover = _old.Store.Peek(moves)!;

        // An ordinary commit moves it, and the index of the new store has never heard of it.
        Assert.IsType<CommitResult.Committed>(await handler.CommitAsync(moves, new SessionVersion(1), Of("ann", 2, index: false), Idle, Token));
        Assert.Null(_old.Store.Peek(moves));
        await AssertFoundAsync();
        // In the shadow of the new one.
        await _old.Store.CommitAsync(moves, SessionVersion.None, leftover, Idle, Token);
        await AssertFoundAsync();

        async Task AssertFoundAsync()
        {
            var found = await index.FindAsync("ann", Token);
            Assert.Equal(new[] { moves.Value, stays.Value, made.Value }.Order(), found.Select(session => session.Key.Value).Order());
            Assert.Equal(2UL, found.Single(session => session.Key == moves).Record.Version.Count);
        }
    }

    [Fact]
    public async Task Leases_are_those_of_the_new_store()
    {
        var leases = Assert.IsAssignableFrom<ISessionLeases>(ReadThroughHandler.Create(_new, _old.Store));
        var (key, lease) = (SessionKey.From(SessionId.New()), new SessionLease("mine", TimeSpan.FromSeconds(30)));
        Assert.Null(await leases.TryAcquireAsync(key, lease, Token));
        Assert.Equal(("mine", null), (_new.Owner(key), _old.Store.Owner(key)));
    }

    [Fact]
    public void What_a_store_cannot_do_is_not_offered()
    {
        var plain = new TroubledHandler(_new);
        Assert.False(ReadThroughHandler.Create(plain, _old.Store) is ISessionLeases or ISessionIndex);
        // Somebody who looks must not believe that a session is not there because one of the stores cannot tell.
        Assert.False(ReadThroughHandler.Create(_new, plain) is ISessionIndex);
        Assert.True(ReadThroughHandler.Create(_new, plain) is ISessionLeases);
        Assert.True(ReadThroughHandler.Create(_new, _old.Store) is ISessionLeases and ISessionIndex);
    }

    private SessionRecord Of(string user, ulong version, bool index) => new()
    {
        Version = new SessionVersion(version),
        CreatedAt = _old.Time.GetUtcNow(),
        AbsoluteDeadline = _old.Time.GetUtcNow().AddHours(12),
        PayloadFormat = PayloadFormat.MessagePack,
        Payload = new byte[] { 0x80 },
        UserId = user,
        IndexUser = index,
    };

    [Fact]
    public async Task What_a_crash_in_the_middle_of_a_move_leaves_behind_is_gone_after_the_next_write_and_does_not_come_back_with_the_old_store()
    {
        var id = await _old.StoredAsync(("a", 1L));
        var leftover = _old.Store.Peek(SessionKey.From(id))!;
        var session = await _manager.LoadAsync(id, cancellationToken: Token);
        session["a"] = 2L;
        await session.CommitAsync(Token);
        await _old.Store.CommitAsync(SessionKey.From(id), SessionVersion.None, leftover, TimeSpan.FromMinutes(20), Token);

        session = await _manager.LoadAsync(id, cancellationToken: Token);
        session["a"] = 3L;
        await session.CommitAsync(Token);
        Assert.Equal((0, 1), (_old.Store.Count, _new.Count));
        var back = _old.New(ReadThroughHandler.Create(_old.Store, _new));
        Assert.Equal(3L, (await back.LoadAsync(id, cancellationToken: Token))["a"]);
    }

    [Fact]
    public async Task What_has_moved_is_read_and_written_while_the_old_store_is_away()
    {
        var id = await _old.StoredAsync(("a", 1L));
        var session = await _manager.LoadAsync(id, cancellationToken: Token);
        session["a"] = 2L;
        await session.CommitAsync(Token);

        var alone = _old.New(ReadThroughHandler.Create(_new, new AwayHandler()));
        session = await alone.LoadAsync(id, cancellationToken: Token);
        session["a"] = session.Get<long>("a") + 1;
        await session.CommitAsync(Token);
        Assert.Equal(3L, (await alone.LoadAsync(id, cancellationToken: Token))["a"]);
    }

    private sealed class AwayHandler : ISessionHandler
    {
        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) => throw Away("read");

        public ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) => throw Away("commit");

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => throw Away("delete");

        private static SessionStoreException Away(string verb) => new("away", verb, "switched off by the test");
    }
}
