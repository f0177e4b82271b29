using RedisSessions.Tests.Support;
using RedisSessions.Values;

namespace RedisSessions.Tests.Attacks;

/// <summary>One value of a large session is damaged in the store: who touches it is told so as of any unreadable record, and nobody else notices.</summary>
public sealed class DamagedEntryTests
{
    private readonly Engine _engine = new(options => options.UserKey = "user");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly (string Name, Action<Session> Use)[] Uses =
    [
        ("indexer", session => _ = session["bad"]),
        ("below", session => _ = session["bad.x"]),
        ("Has", session => session.Has("bad")),
        ("Get", session => session.Get<string>("bad")),
        ("TryGet", session => session.TryGet<string>("bad", out _)),
        ("Set", session => session.Set("bad", 1)),
        ("Set below", session => session.Set("bad.x", 1)),
        ("Remove", session => session.Remove("bad")),
        ("Pull", session => session.Pull<string>("bad")),
        ("Increment", session => session.Increment("bad")),
        ("Push", session => session.Push("bad", 1)),
        ("Prepend", session => session.Prepend("bad", 1)),
        ("Flash", session => session.Flash("bad", 1)),
        ("All", session => session.All()),
        ("Clear", session => session.Clear()),
        ("Literals.Keys", session => _ = session.Literals.Keys),
        ("Literals.TryGet", session => session.Literals.TryGet("bad", out _)),
        ("Literals.Set", session => session.Literals.Set("bad", [1])),
        ("Literals.Remove", session => session.Literals.Remove("bad")),
    ];

    [Fact]
    public async Task Whoever_touches_it_is_told_that_the_store_cannot_be_read()
    {
        var id = await DamagedAsync("bad");
        foreach (var (name, use) in Uses)
        {
            var session = await _engine.LoadAsync(id);
            Unreadable(name, Record.Exception(() => use(session)));
            // Nothing has changed: what comes after it is stored, and nothing of it.
            session["other"] = name;
            await session.CommitAsync(Token);
            var after = await _engine.LoadAsync(id);
            Assert.Equal(name, after["other"]);
            Assert.Equal(1L, after["n"]);
            Unreadable(name, Record.Exception(() => after["bad"]));
        }
    }

    [Fact]
    public async Task Nobody_else_notices_and_it_stays_as_it_is()
    {
        var id = await DamagedAsync("bad");
        var session = await _engine.LoadAsync(id);
        Assert.Equal(1, session.Increment("count"));
        Assert.Equal(1, session.Get<int>("n"));
        session.Flash("message", "saved");
        await session.CommitAsync(Token);
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(Token);
        var next = await _engine.LoadAsync(session.SessionId);
        Assert.Equal("saved", next["message"]);
        await next.CommitAsync(Token);
        Unreadable("after all that", Record.Exception(() => next["bad"]));
        // And it can be got rid of.
        next.Destroy();
        await next.CommitAsync(Token);
    }

    [Fact]
    public async Task Among_small_values_it_is_found_by_who_touches_its_group_and_nobody_else_notices()
    {
        var created = _engine.Other.Create();
        for (var i = 0; i < 100; i++)
            created[i == 19 ? "bad" : $"key{i}"] = i == 19 ? 7 : new string('x', 100);
        await created.CommitAsync(Token);
        var id = created.SessionId;
        var bytes = _engine.Store.Bytes(SessionKey.From(id))!.ToArray();
        bytes[At(bytes, "bad")] = 0xc1;
        _engine.Store.Plant(SessionKey.From(id), bytes);

        var session = await _engine.LoadAsync(id);
        Unreadable("in its group", Record.Exception(() => session["key30"]));
        Unreadable("behind what is removed", Record.Exception(() => session.Remove("key3")));
        session["key3"] = 3;
        session["key40"] = 40;
        Assert.True(session.Remove("key77"));
        session["new"] = "new";
        await session.CommitAsync(Token);
        var next = await _engine.LoadAsync(id);
        Assert.Equal((3L, 40L, "new", false), (next["key3"], next["key40"], next["new"], next.Has("key77")));
        Assert.Equal(new string('x', 100), next["key99"]);
        Unreadable("after all that", Record.Exception(() => next["bad"]));
    }

    [Fact]
    public async Task It_is_found_where_requests_meet()
    {
        var id = await DamagedAsync("bad");
        var healthy = _engine.Store.Bytes(SessionKey.From(id))!.ToArray();
        healthy[At(healthy, "bad")] = 0x07;
        _engine.Store.Plant(SessionKey.From(id), healthy);
        // Read here while it was right; the newer record has it damaged.
        var reader = await _engine.LoadAsync(id);
        Assert.Equal(7, reader.Get<int>("bad"));
        reader["other"] = 1;
        var blind = await _engine.LoadAsync(id);
        blind.Increment("n");
        await _engine.OtherAsync(id, session => session["new"] = 1);
        var newer = _engine.Store.Bytes(SessionKey.From(id))!.ToArray();
        newer[At(newer, "bad")] = 0xc1;
        _engine.Store.Plant(SessionKey.From(id), newer);
        Unreadable("rebase", await Record.ExceptionAsync(async () => await reader.CommitAsync(Token)));
        await blind.CommitAsync(Token);
        Assert.Equal(2L, (await _engine.LoadAsync(id))["n"]);
    }

    [Theory]
    [InlineData("_session")]
    [InlineData("_flash")]
    [InlineData("user")]
    public async Task What_the_engine_itself_looks_at_is_found_too(string key)
    {
        var id = await DamagedAsync(key);
        var error = await Record.ExceptionAsync(async () =>
        {
            var session = await _engine.LoadAsync(id);
            session["other"] = 1;
            await session.CommitAsync(Token);
        });
        Unreadable(key, error);
        Assert.Contains("unknown type 0xc1", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_others_look_at_at_once_is_checked_as_well()
    {
        var id = await DamagedAsync("bad");
        var session = await _engine.LoadAsync(id);
        var tree = session.Work.Snapshot;
        Parallel.For(0, 200, i =>
        {
            Assert.True(tree.TryGet(SessionPath.Parse("n"), out _));
            Unreadable("at once", Record.Exception(() => tree.TryGet(SessionPath.Parse("bad"), out _)));
        });
    }

    /// <summary>A stored session of 10 KB, in which one value of a byte is none.</summary>
    private async Task<SessionId> DamagedAsync(string key)
    {
        var session = _engine.Other.Create();
        session["n"] = 1;
        if (key == FlashBag.ReservedKey)
            session.Flash("message", 7);
        else
            session.Work.TryWrite(new SetChange(SessionPath.Parse(key), SessionValue.From(7)));
        session["text"] = new string('x', 10_000);
        await session.CommitAsync(Token);
        var bytes = _engine.Store.Bytes(SessionKey.From(session.SessionId))!.ToArray();
        Assert.Equal(0xc9, RecordFormat.Read(bytes).Payload.Span[0]);
        bytes[At(bytes, key)] = 0xc1;
        _engine.Store.Plant(SessionKey.From(session.SessionId), bytes);
        return session.SessionId;
    }

    private static int At(byte[] record, string key) =>
        record.AsSpan().LastIndexOf([(byte)(0xa0 | key.Length), .. System.Text.Encoding.ASCII.GetBytes(key)]) + 1 + key.Length;

    private static void Unreadable(string what, Exception? error)
    {
        Assert.True(error is SessionStoreException, $"{what}: {error?.ToString() ?? "nothing was thrown"}");
        Assert.Equal("read", ((SessionStoreException)error!).Verb);
    }
}
