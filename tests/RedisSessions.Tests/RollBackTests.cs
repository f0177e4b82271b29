using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>
/// A store that has forgotten acknowledged commits (a failover, a restore) counts the same versions again. What a request read before must not pass for what is
/// there now: it would overwrite an acknowledged commit.
/// </summary>
public sealed class RollBackTests
{
    private readonly Engine _engine = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task A_commit_that_started_from_a_forgotten_version_overwrites_none_that_was_acknowledged_since(int forgotten)
    {
        var id = await _engine.StoredAsync(("n", 0));
        var key = SessionKey.From(id);
        var backup = _engine.Store.Bytes(key)!.ToArray();
        for (var i = 0; i < forgotten; i++)
            await _engine.OtherAsync(id, session => session["old"] = true);
        var slow = await _engine.LoadAsync(id);
        slow["slow"] = true;
        slow.Increment("n");

        _engine.Store.Plant(key, backup);
        for (var i = 0; i < forgotten; i++)
            await _engine.OtherAsync(id, session => session.Push("acknowledged", i));
        Assert.Equal(slow.Base!.Version.Count, _engine.Store.Peek(key)!.Version.Count);
        await slow.CommitAsync(Token);

        var seen = await _engine.LoadAsync(id);
        Assert.Equal(forgotten, seen.Get<List<int>>("acknowledged")!.Count);
        Assert.Equal((true, 1, false), (seen.Get<bool>("slow"), seen.Get<int>("n"), seen.Has("old")));
    }

    [Fact]
    public async Task A_decision_on_a_forgotten_value_is_refused()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var key = SessionKey.From(id);
        var backup = _engine.Store.Bytes(key)!.ToArray();
        await _engine.OtherAsync(id, session => session["n"] = 1);
        var slow = await _engine.LoadAsync(id);
        slow["decided"] = slow.Get<int>("n");

        _engine.Store.Plant(key, backup);
        await _engine.OtherAsync(id, session => session["n"] = 2);
        Assert.Equal("n", (await Assert.ThrowsAsync<SessionConflictException>(() => slow.CommitAsync(Token).AsTask())).Path);
        Assert.Equal(2, (await _engine.LoadAsync(id)).Get<int>("n"));
    }

    /// <summary>The commit that others have read, and that was lost and sent again, stands on another version now: with its own id alone both would be one version.</summary>
    [Fact]
    public async Task A_commit_that_was_forgotten_and_is_sent_again_makes_another_version()
    {
        var id = await _engine.StoredAsync(("n", 0));
        var key = SessionKey.From(id);
        var backup = _engine.Store.Bytes(key)!.ToArray();
        await _engine.OtherAsync(id, session => session["n"] = 1);
        var sent = await _engine.LoadAsync(id);
        sent["sent"] = true;
        // Stored, and its answer lost; another request has read it; then the store forgets both commits.
        Session reader = null!;
        _engine.Handler.LoseNextAnswer(async () =>
        {
            reader = await _engine.LoadAsync(id);
            _engine.Store.Plant(key, backup);
            await _engine.OtherAsync(id, session => session["acknowledged"] = true);
        });
        await sent.CommitAsync(Token);
        reader["reader"] = true;
        await reader.CommitAsync(Token);

        var seen = await _engine.LoadAsync(id);
        Assert.Equal((true, true, true), (seen.Has("acknowledged"), seen.Has("sent"), seen.Has("reader")));
    }
}
