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
        Assert.Equal([1UL, 2, 10, 18], _engine.Handler.Log.ConvertAll(commit => commit.Expected.Value));
        Assert.Equal(21UL, _engine.Store.Peek(SessionKey.From(id))!.Version.Value);
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

        // Others reach the very versions that the three would have had.
        foreach (var session in sessions)
        {
            await _engine.OtherAsync(id, other => other.Increment("theirs"));
            SessionManager.Rollback(session);
            session.Increment("n");
            await session.CommitAsync(Token);
        }

        Assert.Equal("{n: 4, theirs: 3}", _engine.Stored(id));
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

    /// <summary>One commit is held at the store until others wait behind it.</summary>
    /// <param name="id">The session.</param>
    /// <param name="count">How many others.</param>
    /// <param name="second">Happens before the second commit reaches the store.</param>
    /// <param name="change">What each of the others does; otherwise it counts.</param>
    /// <param name="token">With which each of them waits.</param>
    /// <returns>All of them, the one that was held first.</returns>
    private async Task<Task[]> BehindAsync(
        SessionId id, int count, Func<Task>? second = null, Action<Session, int>? change = null, Func<int, CancellationToken>? token = null)
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
        {
            if (change is null)
                others[i].Increment("n");
            else
                change(others[i], i);
            commits.Add(others[i].CommitAsync(token?.Invoke(i) ?? Token).AsTask());
        }

        held.SetResult();
        return [.. commits];
    }
}
