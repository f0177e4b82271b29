using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>Exclusive access through the engine: whose lease it is, and what a commit does when it is over.</summary>
public sealed class ExclusiveTests
{
    private readonly Engine _engine = new();
    private readonly TestLeases _leases;
    private readonly SessionManager _manager;

    public ExclusiveTests()
    {
        _leases = new TestLeases(_engine.Time);
        _manager = _engine.New(new LeasedHandler(_engine.Handler, _leases));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_exclusive_session_holds_the_lease_until_it_is_released()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await LoadAsync(id);
        Assert.True(_leases.IsHeld(SessionKey.From(id)));
        Assert.True(session.LeaseLost.CanBeCanceled);
        await session.CommitAsync(Token);
        Assert.True(_leases.IsHeld(SessionKey.From(id)));
        await SessionManager.ReleaseAsync(session, Token);
        Assert.False(_leases.IsHeld(SessionKey.From(id)));
        await SessionManager.ReleaseAsync(session, Token);
        Assert.Single(_leases.Calls, call => call == "release");
    }

    [Theory]
    [InlineData(SessionAccess.Optimistic)]
    [InlineData(SessionAccess.ReadOnly)]
    public async Task Other_access_takes_no_lease_and_waits_for_none(SessionAccess access)
    {
        var id = await _engine.StoredAsync(("n", 1));
        var holder = await LoadAsync(id);
        var session = await _manager.LoadAsync(id, access, Token);
        Assert.Equal(1, session.Get<int>("n"));
        Assert.False(session.LeaseLost.CanBeCanceled);
        await SessionManager.ReleaseAsync(session, Token);
        Assert.True(_leases.IsHeld(SessionKey.From(id)));
        await SessionManager.ReleaseAsync(holder, Token);
    }

    [Fact]
    public async Task An_id_that_nobody_knows_holds_nothing()
    {
        var session = await LoadAsync(SessionId.New());
        Assert.True(session.IsNew);
        Assert.Equal<string>(["acquire", "release"], _leases.Calls);
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_holds_nothing()
    {
        var id = SessionId.New();
        _engine.Store.Plant(SessionKey.From(id), new byte[200]);
        await Assert.ThrowsAsync<SessionStoreException>(() => LoadAsync(id));
        Assert.False(_leases.IsHeld(SessionKey.From(id)));
    }

    [Fact]
    public async Task After_a_rotation_the_lease_is_that_of_the_session_and_not_of_the_old_id()
    {
        var old = await _engine.StoredAsync(("n", 1));
        var rotated = await _engine.Other.LoadAsync(old, cancellationToken: Token);
        rotated.RegenerateId();
        await rotated.CommitAsync(Token);

        var session = await LoadAsync(old);
        Assert.True(_leases.IsHeld(SessionKey.From(rotated.SessionId)));
        Assert.False(_leases.IsHeld(SessionKey.From(old)));
        await SessionManager.ReleaseAsync(session, Token);
    }

    [Fact]
    public async Task While_the_lease_lasts_a_conflict_is_replayed_as_ever()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await LoadAsync(id);
        session["mine"] = 1;
        await _engine.OtherAsync(id, other => other["theirs"] = 2);
        await session.CommitAsync(Token);
        Assert.Equal("{mine: 1, n: 1, theirs: 2}", Sorted(_engine.Stored(id)));
        await SessionManager.ReleaseAsync(session, Token);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_the_lease_not_even_a_blind_write_goes_over_what_came_since(bool lastWriteWins)
    {
        _engine.Options.OnConflict = lastWriteWins ? ConflictBehavior.LastWriteWins : ConflictBehavior.Reject;
        var id = await _engine.StoredAsync(("n", 1));
        var paused = await LoadAsync(id);
        paused["n"] = "late";
        _leases.Fails = "renew";
        _engine.Time.Advance(_engine.Options.LeaseDuration);
        await _engine.OtherAsync(id, other => other["n"] = "since");

        var e = await Assert.ThrowsAsync<SessionConflictException>(() => paused.CommitAsync(Token).AsTask());
        Assert.Contains("lease", e.Message, StringComparison.Ordinal);
        Assert.Equal("{n: since}", _engine.Stored(id));
        await SessionManager.ReleaseAsync(paused, Token);
    }

    [Fact]
    public async Task A_lost_lease_alone_refuses_nothing()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await LoadAsync(id);
        session["n"] = 2;
        _leases.Seize(SessionKey.From(id), TimeSpan.FromMinutes(1));
        _engine.Time.Advance(_engine.Options.LeaseDuration / 3);
        Assert.True(session.LeaseLost.IsCancellationRequested);
        await session.CommitAsync(Token);
        Assert.Equal("{n: 2}", _engine.Stored(id));
        await SessionManager.ReleaseAsync(session, Token);
    }

    [Fact]
    public async Task A_handler_without_leases_says_so()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => _engine.Manager.LoadAsync(id, SessionAccess.Exclusive, Token).AsTask());
        Assert.Contains(nameof(ISessionLeases), e.Message, StringComparison.Ordinal);
    }

    private Task<Session> LoadAsync(SessionId id) => _manager.LoadAsync(id, SessionAccess.Exclusive, Token).AsTask();

    private static string Sorted(string map) => "{" + string.Join(", ", map.Trim('{', '}').Split(", ").Order(StringComparer.Ordinal)) + "}";
}
