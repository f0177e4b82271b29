using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary><c>UpdateAsync</c>: runs again until it commits.</summary>
public sealed class UpdateTests
{
    private readonly Engine _engine = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_answer_is_that_of_the_run_that_was_committed()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        var runs = 0;
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other["n"] = 10));
        var answer = await session.UpdateAsync(s =>
        {
            runs++;
            var next = s.Get<int>("n") + 1;
            s["n"] = next;
            return next;
        }, Token);
        Assert.Equal((11, 2), (answer, runs));
        Assert.Equal("{n: 11}", _engine.Stored(id));
    }

    [Fact]
    public async Task An_action_runs_again_too()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other["n"] = 10));
        await session.UpdateAsync(s => s["n"] = s.Get<int>("n") * 2, Token);
        Assert.Equal("{n: 20}", _engine.Stored(id));
    }

    [Fact]
    public async Task An_asynchronous_delegate_is_awaited_and_runs_again()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other["n"] = 10));
        await session.UpdateAsync(async s =>
        {
            var n = s.Get<int>("n");
            await Task.Yield();
            s["n"] = n + 1;
        }, Token);
        Assert.Equal("{n: 11}", _engine.Stored(id));
        Assert.Equal(12, await session.UpdateAsync(async s =>
        {
            await Task.Yield();
            return s.Increment("n");
        }, Token));
        Assert.Equal("{n: 12}", _engine.Stored(id));
    }

    [Fact]
    public async Task What_does_not_rest_on_a_read_is_replayed_without_running_again()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        var runs = 0;
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other["other"] = 10));
        await session.UpdateAsync(s => { runs++; s["n"] = s.Get<int>("n") + 1; }, Token);
        Assert.Equal(1, runs);
        Assert.Equal("{n: 2, other: 10}", _engine.Stored(id));
    }

    [Fact]
    public async Task The_sum_that_an_increment_returns_is_exact()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other.Increment("n")));
        Assert.Equal(3, await session.UpdateAsync(s => s.Increment("n"), Token));
    }

    [Fact]
    public async Task Whether_a_removed_key_was_there_is_exact_so_that_one_request_gets_it()
    {
        var id = await _engine.StoredAsync(("token", "t"), ("other", 1));
        var session = await _engine.LoadAsync(id);
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other.Remove("token")));
        Assert.False(await session.UpdateAsync(s => s.Remove("token"), Token));
    }

    [Fact]
    public async Task Of_two_requests_that_pull_a_value_one_gets_it()
    {
        var id = await _engine.StoredAsync(("token", "t"), ("other", 1));
        var first = await _engine.LoadAsync(id);
        var second = await _engine.LoadAsync(id);
        Assert.Equal("t", await first.UpdateAsync(s => s.Pull<string>("token"), Token));
        Assert.Null(await second.UpdateAsync(s => s.Pull<string>("token"), Token));
    }

    [Fact]
    public async Task What_the_request_had_read_before_the_update_still_counts()
    {
        var id = await _engine.StoredAsync(("n", 1), ("role", "guest"));
        var session = await _engine.LoadAsync(id);
        Assert.Equal("guest", session["role"]);
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => { other["role"] = "admin"; other["n"] = 5; }));
        var conflict = await Assert.ThrowsAsync<SessionConflictException>(
            async () => await session.UpdateAsync(s => s["n"] = s.Get<int>("n") + 1, Token));
        Assert.Equal("role", conflict.Path);
    }

    [Fact]
    public async Task What_the_request_had_changed_before_the_update_is_replayed_once()
    {
        var id = await _engine.StoredAsync(("n", 1), ("m", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("m");
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => { other.Increment("m"); other["n"] = 5; }));
        await session.UpdateAsync(s => s["n"] = s.Get<int>("n") + 1, Token);
        Assert.Equal("{m: 3, n: 6}", _engine.Stored(id));
    }

    [Fact]
    public async Task OnConflict_does_not_weaken_an_update()
    {
        var engine = new Engine(options => options.OnConflict = ConflictBehavior.LastWriteWins);
        var id = await engine.StoredAsync(("n", 1));
        var session = await engine.LoadAsync(id);
        engine.Handler.Before(() => engine.OtherAsync(id, other => other["n"] = 10));
        await session.UpdateAsync(s => s["n"] = s.Get<int>("n") + 1, Token);
        Assert.Equal("{n: 11}", engine.Stored(id));
    }

    [Fact]
    public async Task A_run_that_regenerates_only_on_the_newer_values_gets_a_new_id()
    {
        var id = await _engine.StoredAsync(("role", "guest"));
        var session = await _engine.LoadAsync(id);
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other["role"] = "admin"));
        await session.UpdateAsync(s =>
        {
            s["seen"] = s["role"];
            if (s.Get<string>("role") == "admin")
                s.RegenerateId(deleteOld: true);
        }, Token);
        Assert.Equal("Replaced", _engine.Stored(id));
        Assert.Equal("{role: admin, seen: admin}", _engine.Stored(session.SessionId));
    }

    [Fact]
    public async Task A_run_that_no_longer_regenerates_on_the_newer_values_keeps_the_id()
    {
        var id = await _engine.StoredAsync(("role", "admin"));
        var session = await _engine.LoadAsync(id);
        _engine.Handler.BeforeCommit = commit => commit.Key == SessionKey.From(id) && _engine.Handler.Log.Count == 2
            ? _engine.OtherAsync(id, other => other["role"] = "guest")
            : Task.CompletedTask;
        await session.UpdateAsync(s =>
        {
            s["seen"] = s["role"];
            if (s.Get<string>("role") == "admin")
                s.RegenerateId(deleteOld: true);
        }, Token);
        Assert.Equal("{role: guest, seen: guest}", _engine.Stored(id));
        Assert.Equal(1, _engine.Store.Count);
        Assert.Equal(SessionCookieAction.Keep, SessionManager.CookieFor(session));
    }

    [Fact]
    public async Task A_delegate_that_throws_leaves_nothing_of_its_run_in_the_session()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session["before"] = true;
        await Assert.ThrowsAsync<FormatException>(async () => await session.UpdateAsync(s =>
        {
            s["half"] = true;
            s.RegenerateId(deleteOld: true);
            throw new FormatException();
        }, Token));
        Assert.Null(session["half"]);
        await session.CommitAsync(Token);
        Assert.Equal("{before: true, n: 1}", _engine.Stored(id));
    }

    [Fact]
    public async Task An_update_that_was_refused_can_be_tried_again_without_counting_twice()
    {
        var engine = new Engine(options => options.CommitTries = 1);
        var id = await engine.StoredAsync(("n", 0));
        var session = await engine.LoadAsync(id);
        engine.Handler.Before(() => engine.OtherAsync(id, other => other.Increment("n", 10)));
        await Assert.ThrowsAsync<SessionConflictException>(async () => await session.UpdateAsync(s => s.Increment("m"), Token));
        engine.Options.CommitTries = 10;
        Assert.Equal(1, await session.UpdateAsync(s => s.Increment("m"), Token));
        Assert.Equal("{m: 1, n: 10}", engine.Stored(id));
    }

    [Fact]
    public async Task An_update_neither_commits_nor_updates_inside()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync(("n", 1)));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await session.UpdateAsync(s => s.CommitAsync(Token).AsTask(), Token));
        await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await session.UpdateAsync(s => s.UpdateAsync(inner => inner["a"] = 1, Token).AsTask(), Token));
        await session.UpdateAsync(s => s["n"] = 2, Token);
    }
}
