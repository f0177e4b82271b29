using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>The commit loop: what happens when another request was faster, and where it ends.</summary>
public sealed class SessionCommitTests
{
    private readonly Engine _engine = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_is_one_commit_of_the_next_version()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync(("a", 1)));
        session["b"] = 2;
        await session.CommitAsync(Token);
        var commit = Assert.Single(_engine.Handler.Log);
        Assert.Equal((1UL, 2UL), (commit.Expected.Count, commit.Record.Version.Count));
        Assert.Equal("{a: 1, b: 2}", _engine.Stored(session.SessionId));
    }

    [Fact]
    public async Task A_blind_change_is_replayed_on_what_another_process_has_stored_meanwhile()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        session["mine"] = true;
        await _engine.OtherAsync(id, other => { other.Increment("n", 10); other["theirs"] = true; });
        await session.CommitAsync(Token);
        Assert.Equal("{mine: true, n: 12, theirs: true}", _engine.Stored(id));
        Assert.Equal(12, session["n"] as long?);
        Assert.Equal(1, _engine.Store.Reads - 1);
    }

    [Fact]
    public async Task A_decision_on_stale_data_is_refused_with_the_path_and_nothing_is_stored()
    {
        var id = await _engine.StoredAsync(("account.balance", 100));
        var session = await _engine.LoadAsync(id);
        Assert.Equal(100, session.Get<int>("account.balance"));
        session["order"] = 1;
        await _engine.OtherAsync(id, other => other["account.balance"] = 50);
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(async () => await session.CommitAsync(Token));
        Assert.Equal(("account.balance", false), (conflict.Path, conflict.SessionEnded));
        Assert.DoesNotContain("50", conflict.Message, StringComparison.Ordinal);
        Assert.Equal("{account: {balance: 50}}", _engine.Stored(id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_decision_on_an_element_that_this_request_has_moved_is_one_on_the_element_it_was(bool byRemoving)
    {
        var id = await _engine.StoredAsync(("l", new[] { "a", "b", "c" }));
        var session = await _engine.LoadAsync(id);
        if (byRemoving)
            session.Remove("l.0");
        else
            session.Prepend("l", "z");
        Assert.Equal(byRemoving ? "c" : "a", session["l.1"]);
        session["decided"] = true;
        await _engine.OtherAsync(id, other => other[byRemoving ? "l.2" : "l.0"] = "d");
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(async () => await session.CommitAsync(Token));
        Assert.Equal("l", conflict.Path);
    }

    [Fact]
    public async Task A_map_with_numbers_for_keys_moves_nothing()
    {
        var id = await _engine.StoredAsync(("cart.x", 0), ("cart.17", 1), ("cart.18", 1));
        var session = await _engine.LoadAsync(id);
        session.Remove("cart.17");
        session["decided"] = session["cart.18"];
        await _engine.OtherAsync(id, other => other["cart.19"] = 1);
        await session.CommitAsync(Token);
        Assert.Equal("{cart: {18: 1, 19: 1, x: 0}, decided: 1}", _engine.Stored(id));
    }

    [Fact]
    public async Task LastWriteWins_replays_whatever_was_read()
    {
        var engine = new Engine(options => options.OnConflict = ConflictBehavior.LastWriteWins);
        var id = await engine.StoredAsync(("n", 1));
        var session = await engine.LoadAsync(id);
        session["n"] = session.Get<int>("n") + 1;
        await engine.OtherAsync(id, other => other["n"] = 100);
        await session.CommitAsync(Token);
        Assert.Equal("{n: 2}", engine.Stored(id));
    }

    [Fact]
    public async Task LastWriteWins_still_refuses_a_change_that_cannot_be_applied()
    {
        var engine = new Engine(options => options.OnConflict = ConflictBehavior.LastWriteWins);
        var id = await engine.StoredAsync(("n", 1));
        var session = await engine.LoadAsync(id);
        session.Increment("n");
        await engine.OtherAsync(id, other => other["n"] = "text");
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(async () => await session.CommitAsync(Token));
        Assert.Equal("n", conflict.Path);
        Assert.Equal("{n: text}", engine.Stored(id));
    }

    [Fact]
    public async Task Every_try_of_one_commit_has_the_same_id_and_another_commit_another()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other.Increment("n")));
        await session.CommitAsync(Token);
        session.Increment("n");
        await session.CommitAsync(Token);
        var ids = _engine.Handler.Log.ConvertAll(commit => commit.Record.CommitIds[0]);
        Assert.Equal(3, ids.Count);
        Assert.Equal(ids[0], ids[1]);
        Assert.NotEqual(ids[1], ids[2]);
        Assert.Equal("{n: 4}", _engine.Stored(id));
    }

    [Fact]
    public async Task A_record_remembers_its_last_commits_and_no_more()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync(("n", 0)));
        for (var i = 0; i < 12; i++)
        {
            session.Increment("n");
            await session.CommitAsync(Token);
        }

        var last = _engine.Handler.Log.ConvertAll(commit => commit.Record.CommitIds[0]).AsEnumerable().Reverse().Take(8);
        Assert.Equal(last, _engine.Store.Peek(SessionKey.From(session.SessionId))!.CommitIds);
    }

    [Fact]
    public async Task A_commit_that_always_meets_a_newer_version_gives_up_after_its_tries()
    {
        var engine = new Engine(options => options.CommitTries = 7);
        var id = await engine.StoredAsync(("n", 0));
        var session = await engine.LoadAsync(id);
        session.Increment("n");
        engine.Handler.BeforeCommit = _ => engine.OtherAsync(id, other => other.Increment("n", 100));
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(() => engine.PassTimeAsync(CommitAsync(session)));
        Assert.Equal((null, false), (conflict.Path, conflict.SessionEnded));
        Assert.Equal(7, engine.Handler.Log.Count);
        Assert.Equal("{n: 700}", engine.Stored(id));
    }

    [Fact]
    public async Task Who_is_late_tries_again_at_once_and_steps_aside_only_once()
    {
        const int Late = 20;
        var id = await _engine.StoredAsync(("n", 0));
        _engine.Handler.BeforeCommit = _ => _engine.Handler.Log.Count <= Late ? _engine.OtherAsync(id, other => other.Increment("n", 100)) : Task.CompletedTask;
        var manager = _engine.New(_engine.Handler, jitter: new AlwaysHalf());
        var session = await manager.LoadAsync(id, cancellationToken: Token);
        session.Increment("n");
        var commit = session.CommitAsync(Token).AsTask();
        Assert.Equal((SessionCommit.TriesBeforeStandingAside, false), (_engine.Handler.Log.Count, commit.IsCompleted));

        // Half of 32 round trips, the shortest there are.
        _engine.Time.Advance(TimeSpan.FromMilliseconds(1.6));
        await commit.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Equal((Late + 1, $"{{n: {(Late * 100) + 1}}}"), (_engine.Handler.Log.Count, _engine.Stored(id)));
    }

    [Fact]
    public async Task A_commit_gives_up_when_its_time_is_over()
    {
        var engine = new Engine(options => options.CommitTimeout = TimeSpan.FromSeconds(1));
        var id = await engine.StoredAsync(("n", 0));
        var session = await engine.LoadAsync(id);
        session.Increment("n");
        engine.Handler.BeforeCommit = async _ =>
        {
            engine.Time.Advance(TimeSpan.FromMilliseconds(400));
            await engine.OtherAsync(id, other => other.Increment("n", 100));
        };
        await Assert.ThrowsAsync<SessionConflictException>(() => engine.PassTimeAsync(CommitAsync(session)));
        Assert.Equal(3, engine.Handler.Log.Count);
    }

    [Fact]
    public async Task A_session_that_expired_while_the_request_ran_is_not_brought_back()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var session = await _engine.LoadAsync(id);
        session["b"] = 2;
        _engine.Time.Advance(TimeSpan.FromHours(1));
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(async () => await session.CommitAsync(Token));
        Assert.True(conflict.SessionEnded);
        Assert.Equal(0, _engine.Store.Count);
    }

    [Fact]
    public async Task A_commit_that_is_cancelled_before_it_is_sent_leaves_no_trace()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync(("a", 1)));
        session["a"] = 2;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await session.CommitAsync(new CancellationToken(canceled: true)));
        Assert.Equal("{a: 1}", _engine.Stored(session.SessionId));
    }

    [Fact]
    public async Task A_session_that_is_too_large_is_refused_with_its_largest_keys_and_can_be_made_smaller()
    {
        var engine = new Engine(options => options.MaxSize = 2000);
        var session = await engine.LoadAsync(await engine.StoredAsync(("small", 1)));
        session["big"] = new byte[1500];
        session["bigger"] = new byte[1600];
        var failure = await Assert.ThrowsAsync<SessionTooLargeException>(async () => await session.CommitAsync(Token));
        Assert.Equal(2000, failure.Limit);
        Assert.InRange(failure.Size, 3100, 3200);
        Assert.Contains("bigger (1603 bytes), big (1503 bytes), small (1 bytes)", failure.Message, StringComparison.Ordinal);
        Assert.Equal("{small: 1}", engine.Stored(session.SessionId));
        session.Remove("bigger");
        await session.CommitAsync(Token);
        Assert.StartsWith("{big: 0x0000", engine.Stored(session.SessionId), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_follows_a_commit_is_a_commit_of_its_own()
    {
        var session = _engine.Manager.Create();
        session["a"] = 1;
        await session.CommitAsync(Token);
        session["b"] = 2;
        SessionManager.Rollback(session);
        Assert.Null(session["b"]);
        session["c"] = 3;
        await session.CommitAsync(Token);
        Assert.Equal("{a: 1, c: 3}", _engine.Stored(session.SessionId));
    }

    private static async Task<bool> CommitAsync(Session session)
    {
        await session.CommitAsync(Token);
        return true;
    }

    private sealed class AlwaysHalf : Random
    {
        public override double NextDouble() => 0.5;
    }
}
