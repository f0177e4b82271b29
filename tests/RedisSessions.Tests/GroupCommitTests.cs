using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>Requests of one process that commit the same session at once go to the store together, and what happens to one of them happens to no other.</summary>
public sealed class GroupCommitTests
{
    private readonly Engine _engine = new(options => options.MaxSize = 2000);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Twenty_at_once_are_four_commits_and_none_is_lost()
    {
        var id = await _engine.StoredAsync(("n", 0));
        await Task.WhenAll(await BehindAsync(id, 19));
        Assert.Equal("{n: 20}", _engine.Stored(id));
        // The first alone, then eight, eight and three: as many as a record remembers.
        Assert.Equal([1UL, 2, 10, 18], _engine.Handler.Log.ConvertAll(commit => commit.Expected.Count));
        Assert.Equal(21UL, _engine.Store.Peek(SessionKey.From(id))!.Version.Count);
    }

    [Fact]
    public async Task Each_of_them_is_in_the_record_as_if_it_had_been_alone()
    {
        var id = await _engine.StoredAsync(("n", 0));
        await Task.WhenAll(await BehindAsync(id, 8));
        Assert.Equal(8, _engine.Handler.Log[1].Record.CommitIds.Distinct().Count());
        Assert.DoesNotContain(_engine.Handler.Log[0].Record.CommitIds[0], _engine.Handler.Log[1].Record.CommitIds);
    }

    [Fact]
    public async Task All_are_replayed_when_another_process_was_faster()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var commits = await BehindAsync(id, 3, second: () => _engine.OtherAsync(id, other => other.Increment("n", 100)));
        await Task.WhenAll(commits);
        Assert.Equal("{n: 104}", _engine.Stored(id));
    }

    [Fact]
    public async Task A_lost_answer_applies_none_of_them_twice()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var commits = await BehindAsync(id, 8, second: () =>
        {
            _engine.Handler.LoseNextAnswer();
            return Task.CompletedTask;
        });
        await Task.WhenAll(commits);
        Assert.Equal("{n: 9}", _engine.Stored(id));
        Assert.Equal(2, _engine.Handler.Log.Count);
    }

    [Fact]
    public async Task Nor_do_they_go_again_with_those_who_came_after_them()
    {
        // Who is next when they come back with a record that has them already, is a race.
        for (var round = 0; round < 50; round++)
        {
            var id = await _engine.StoredAsync(("n", 0));
            await Task.WhenAll(await BehindAsync(id, 14, second: () =>
            {
                _engine.Handler.LoseNextAnswer();
                return Task.CompletedTask;
            }));
            Assert.Equal("{n: 15}", _engine.Stored(id));
        }
    }

    [Fact]
    public async Task Nothing_is_left_of_a_session_that_ended_under_them()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var sessions = new List<Session>();
        var commits = await BehindAsync(id, 3, second: () => _engine.OtherAsync(id, other => other.Destroy()), change: (session, _) =>
        {
            session.Increment("n");
            sessions.Add(session);
        });
        await commits[0];
        foreach (var commit in commits[1..])
            Assert.True((await Assert.ThrowsAsync<SessionConflictException>(() => commit)).SessionEnded);
        Assert.All(sessions, session => Assert.Null(session["n"]));
    }

    [Fact]
    public async Task One_that_has_read_what_another_of_them_changes_is_refused_alone()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var commits = await BehindAsync(id, 3, change: (session, i) =>
        {
            if (i == 0)
                session["x"] = 1;
            else if (i == 1)
                session["y"] = session.Get<int>("x") + 1;
            else
                session.Increment("n");
        });
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(() => commits[2]);
        Assert.Equal("x", conflict.Path);
        await Task.WhenAll(commits[0], commits[1], commits[3]);
        Assert.Equal("{n: 2, x: 1}", _engine.Stored(id));
    }

    [Fact]
    public async Task One_that_is_too_large_is_refused_alone()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var commits = await BehindAsync(id, 3, change: (session, i) =>
        {
            session.Increment("n");
            if (i == 2)
                session["big"] = new byte[3000];
        });
        await Assert.ThrowsAsync<SessionTooLargeException>(() => commits[3]);
        await Task.WhenAll(commits[..3]);
        Assert.Equal("{n: 3}", _engine.Stored(id));
    }

    [Fact]
    public async Task A_logout_behind_them_ends_what_they_have_stored()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var commits = await BehindAsync(id, 3, change: (session, i) =>
        {
            if (i == 2)
                session.Destroy();
            else
                session.Increment("n");
        });
        await Task.WhenAll(commits);
        Assert.Equal("Ended", _engine.Stored(id));
        Assert.Equal([SessionState.Live, SessionState.Live, SessionState.Ended], _engine.Handler.Log.ConvertAll(commit => commit.Record.State));
    }

    [Fact]
    public async Task When_the_store_fails_all_are_told_and_none_goes_on_from_what_was_never_stored()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var sessions = new List<Session>();
        var commits = await BehindAsync(id, 3, second: () => throw new SessionStoreException("troubled", "commit", "it is away"), change: (session, _) =>
        {
            session.Increment("n");
            sessions.Add(session);
        });
        await commits[0];
        foreach (var commit in commits[1..])
            await Assert.ThrowsAsync<SessionStoreException>(() => commit);

        // Others reach the very version that the second stood on, which was never stored.
        foreach (var session in sessions[1..])
        {
            await _engine.OtherAsync(id, other => other.Increment("theirs"));
            SessionManager.Rollback(session);
            session.Increment("n");
            await session.CommitAsync(Token);
        }

        Assert.Equal("{n: 3, theirs: 2}", _engine.Stored(id));
    }

    [Fact]
    public async Task One_that_stops_waiting_takes_nobody_along()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var (sent, stored) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var cancellation = new CancellationTokenSource();
        var commits = await BehindAsync(id, 3, token: i => i == 2 ? Token : cancellation.Token, second: () =>
        {
            sent.SetResult();
            return stored.Task;
        });
        await sent.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => commits[1]);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => commits[2]);
        stored.SetResult();
        await commits[3];
        Assert.Equal("{n: 4}", _engine.Stored(id));
    }

    [Fact]
    public async Task A_user_who_logs_in_among_them_is_indexed_with_them()
    {
        var id = await _engine.StoredAsync(("n", 0));
        await Task.WhenAll(await BehindAsync(id, 3, change: (session, i) =>
        {
            session.Increment("n");
            if (i == 0)
                session[_engine.Options.UserKey!] = "7";
        }));
        Assert.Equal(("7", true), (_engine.Handler.Log[1].Record.UserId, _engine.Handler.Log[1].Record.IndexUser));
    }

    [Fact]
    public async Task Those_who_read_what_they_change_run_on_what_the_others_have_made()
    {
        var id = await _engine.StoredAsync(("n", 0));
        await Task.WhenAll(await BehindAsync(id, 8, update: (session, _) => session["n"] = session.Get<int>("n") + 1));
        Assert.Equal("{n: 9}", _engine.Stored(id));
        Assert.Equal([1UL, 2], _engine.Handler.Log.ConvertAll(commit => commit.Expected.Count));
    }

    [Fact]
    public async Task What_was_decided_on_what_is_never_stored_is_decided_again()
    {
        // The others double what they find, and the first of them fails to be stored with all: somebody changes something else meanwhile, and not n.
        var id = await _engine.StoredAsync(("n", 0));
        var commits = await BehindAsync(
            id, 3, second: () => _engine.OtherAsync(id, other => other["else"] = 1), update: (session, _) => session["n"] = session.Get<int>("n") * 2 + 1);
        await Task.WhenAll(commits);
        Assert.Equal("{else: 1, n: 15}", _engine.Stored(id));
    }

    [Theory]
    [InlineData(false, "{n: 2}")]
    [InlineData(true, "{n: 11}")]
    public async Task What_a_delegate_throws_is_thrown_only_if_what_it_saw_is_stored(bool isOvertaken, string expected)
    {
        var id = await _engine.StoredAsync(("n", 0));
        var commits = await BehindAsync(id, 2, second: () => isOvertaken ? _engine.OtherAsync(id, other => other.Increment("n", 8)) : Task.CompletedTask, update: (session, _) =>
        {
            // The first makes two of it, and the second cannot bear that.
            var n = session.Get<int>("n");
            if (n == 2)
                throw new InvalidDataException("two");
            session["n"] = n + 1;
        });
        await Task.WhenAll(commits[..2]);
        if (isOvertaken)
            await commits[2];
        else
            await Assert.ThrowsAsync<InvalidDataException>(() => commits[2]);
        Assert.Equal(expected, _engine.Stored(id));
    }

    [Fact]
    public async Task Nobody_waits_for_a_delegate_that_takes_its_time()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var done = new TaskCompletionSource();
        var runs = 0;
        var commits = await BehindAsync(id, 2, slowUpdate: async (session, i) =>
        {
            var n = session.Get<int>("n");
            if (i == 1 && Interlocked.Increment(ref runs) == 2)
                await done.Task;
            session["n"] = n + 1;
        });
        await Task.WhenAll(commits[..2]).WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.False(commits[2].IsCompleted);
        done.SetResult();
        await commits[2];
        Assert.Equal("{n: 3}", _engine.Stored(id));
        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task What_ran_on_something_that_nobody_knows_to_be_stored_runs_on_what_it_had_read()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var commits = await BehindAsync(id, 2, second: () => throw new SessionStoreException("troubled", "commit", "it is away"), slowUpdate: async (session, i) =>
        {
            var n = session.Get<int>("n");
            if (i == 1 && n == 2)
                await Task.Yield();
            session["n"] = n + 1;
        });
        await Assert.ThrowsAsync<SessionStoreException>(() => commits[1]);
        await commits[2];
        Assert.Equal("{n: 2}", _engine.Stored(id));
    }

    [Fact]
    public async Task A_delegate_that_logs_out_on_what_it_sees_does_so_after_the_others()
    {
        var id = await _engine.StoredAsync(("n", 0));
        await Task.WhenAll(await BehindAsync(id, 2, update: (session, i) =>
        {
            if (i == 1 && session.Get<int>("n") == 2)
                session.Destroy();
            else
                session["n"] = session.Get<int>("n") + 1;
        }));
        Assert.Equal("Ended", _engine.Stored(id));
        Assert.Equal([SessionState.Live, SessionState.Live, SessionState.Ended], _engine.Handler.Log.ConvertAll(commit => commit.Record.State));
    }

    [Fact]
    public async Task What_was_read_before_refuses_only_if_what_differs_is_stored()
    {
        var id = await _engine.StoredAsync(("n", 0), ("x", 0));
        var commits = await BehindAsync(id, 2, before: (session, i) => _ = i == 1 ? session["x"] : null, update: (session, i) =>
            session[i == 0 ? "x" : "n"] = session.Get<int>("n") + 1);
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(() => commits[2]);
        Assert.Equal("x", conflict.Path);
        await Task.WhenAll(commits[..2]);
        Assert.Equal("{n: 1, x: 2}", _engine.Stored(id));
    }

    /// <summary>One commit is held at the store until others wait behind it.</summary>
    /// <param name="id">The session.</param>
    /// <param name="count">How many others.</param>
    /// <param name="second">Happens before the second commit reaches the store.</param>
    /// <param name="change">What each of the others does; otherwise it counts.</param>
    /// <param name="update">The same, in a transaction.</param>
    /// <param name="slowUpdate">The same, in one that waits.</param>
    /// <param name="before">What each of the others does before.</param>
    /// <param name="token">With which each of them waits.</param>
    /// <returns>All of them, the one that was held first.</returns>
    private async Task<Task[]> BehindAsync(
        SessionId id, int count, Func<Task>? second = null, Action<Session, int>? change = null, Action<Session, int>? update = null,
        Func<Session, int, Task>? slowUpdate = null, Action<Session, int>? before = null, Func<int, CancellationToken>? token = null)
    {
        var first = await _engine.LoadAsync(id);
        var others = new List<Session>();
        for (var i = 0; i < count; i++)
            others.Add(await _engine.LoadAsync(id));
        var held = new TaskCompletionSource();
        _engine.Handler.Before(async () =>
        {
            await held.Task;
            if (second is not null)
                _engine.Handler.Before(second);
        });
        first.Increment("n");
        var commits = new List<Task> { first.CommitAsync(Token).AsTask() };
        for (var i = 0; i < count; i++)
            commits.Add(CommitAsync(others[i], i).AsTask());

        held.SetResult();
        return [.. commits];

        ValueTask CommitAsync(Session session, int i)
        {
            before?.Invoke(session, i);
            if (update is not null)
                return session.UpdateAsync(s => update(s, i), Token);
            if (slowUpdate is not null)
                return session.UpdateAsync(s => slowUpdate(s, i), Token);
            if (change is null)
                session.Increment("n");
            else
                change(session, i);
            return session.CommitAsync(token?.Invoke(i) ?? Token);
        }
    }
}
