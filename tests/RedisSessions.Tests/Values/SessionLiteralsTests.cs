using CsCheck;
using RedisSessions.Tests.Support;
using RedisSessions.Values;

namespace RedisSessions.Tests.Values;

/// <summary>A session as a flat table of bytes, and its laws.</summary>
public sealed class SessionLiteralsTests
{
    private const int Iterations = 3_000;
    private readonly Engine _engine = new();

    private static readonly Gen<string> Keys = Gen.String[Gen.Char["abA._0é"], 0, 6].Where(static key => !ReservedKeys.Contain(SessionPath.Literal(key)));

    private static readonly Gen<(string Key, byte[] Value)[]> Writes = Gen.Select(Keys, Gen.Byte.Array[0, 12]).Array[0, 12];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_literal_key_that_is_read_is_guarded_although_the_path_of_its_spelling_was_written()
    {
        var first = _engine.Manager.Create();
        first.Literals.Set("a.b", [1]);
        await first.CommitAsync(Token);
        var session = await _engine.LoadAsync(first.SessionId);
        session["a.b"] = "path";
        // Reading takes the literal key, which this request has not written.
        Assert.Equal([1], session.Get<byte[]>("a.b"));
        await _engine.OtherAsync(first.SessionId, other => other.Literals.Set("a.b", [2]));
        await Assert.ThrowsAsync<SessionConflictException>(() => session.CommitAsync(Token).AsTask());
    }

    [Fact]
    public void It_is_a_dictionary_of_bytes() => Gen.Select(Writes, Keys.Array[0, 4]).Sample((writes, removed) =>
    {
        var session = _engine.Manager.Create();
        Dictionary<string, byte[]> model = new(StringComparer.Ordinal);
        foreach (var (key, value) in writes)
        {
            session.Literals.Set(key, value);
            model[key] = value;
        }

        foreach (var key in removed)
        {
            session.Literals.Remove(key);
            model.Remove(key);
        }

        AssertSame(model, session);
        // And as it comes back from a store.
        AssertSame(model, Loaded(session.Work.View.ToPayload()));
    }, iter: Iterations);

    [Fact]
    public void A_literal_never_disturbs_the_path_of_the_same_spelling_nor_the_path_the_literal() =>
        Gen.Select(Keys.Where(static key => key.Contains('.') && key.Length > 0), Gen.Byte.Array[0, 5], Gen.Long).Sample((key, bytes, number) =>
        {
            var session = _engine.Manager.Create();
            session.Set(key, number);
            session.Literals.Set(key, bytes);
            session.Set(key, number + 1);
            Assert.True(session.Literals.TryGet(key, out var literal));
            Assert.Equal(bytes, literal);
            session.Literals.Remove(key);
            // The path was hidden, and has kept what was set meanwhile.
            Assert.Equal(number + 1, session.Get<long>(key));
            Assert.False(session.Literals.TryGet(key, out _));
            session.Literals.Remove(key);
            Assert.Equal(number + 1, session.Get<long>(key));
        }, iter: Iterations);

    [Fact]
    public void A_string_and_a_number_of_32_bits_have_one_form_in_bytes_and_come_back_from_it() =>
        Gen.Select(Gen.String[0, 20].Where(static text => !text.Any(char.IsSurrogate)), Gen.Int).Sample((text, number) =>
        {
            var session = _engine.Manager.Create();
            session["text"] = text;
            session["number"] = number;
            Assert.True(session.Literals.TryGet("text", out var textBytes));
            Assert.True(session.Literals.TryGet("number", out var numberBytes));
            Assert.Equal((4, number), (numberBytes.Length, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(numberBytes)));
            session.Literals.Set("text", textBytes);
            session.Literals.Set("number", numberBytes);
            Assert.Equal(text, session.Get<string>("text"));
            Assert.Equal((number, number, number), (session.Get<int>("number"), session.Get<long>("number"), session.Get<int?>("number")));
        }, iter: Iterations);

    [Fact]
    public void What_was_no_text_and_no_number_is_not_read_as_one()
    {
        var session = _engine.Manager.Create();
        session.Literals.Set("bytes", [0xff, 0xfe, 0xfd]);
        Assert.Throws<InvalidCastException>(() => session.Get<string>("bytes"));
        Assert.Throws<InvalidCastException>(() => session.Get<int>("bytes"));
        Assert.False(session.TryGet<string>("bytes", out _));
        Assert.Equal([0xff, 0xfe, 0xfd], session.Get<byte[]>("bytes"));
    }

    [Fact]
    public void A_number_beyond_32_bits_has_no_form()
    {
        var session = _engine.Manager.Create();
        session["most"] = (long)int.MaxValue;
        session["more"] = int.MaxValue + 1L;
        session["least"] = (long)int.MinValue;
        session["less"] = int.MinValue - 1L;
        session["huge"] = ulong.MaxValue;
        Assert.Equal(["least", "most"], session.Literals.Keys.Order());
        Assert.False(session.Literals.TryGet("more", out _));
    }

    [Theory]
    [InlineData("_flash")]
    [InlineData("_flash.new")]
    [InlineData("_session")]
    [InlineData("_session.cookie")]
    public void The_engines_keys_are_neither_set_nor_read_nor_removed(string key)
    {
        var session = _engine.Manager.Create();
        session.Flash("a", 1);
        session.IsPersistent = true;
        Assert.Throws<ArgumentException>(() => session.Literals.Set(key, [1]));
        session.Literals.Remove(key);
        Assert.False(session.Literals.TryGet(key, out _));
        Assert.Equal(["a"], session.Literals.Keys);
        Assert.True(session.IsPersistent);
    }

    [Fact]
    public void Somebody_elses_bytes_under_the_engines_keys_are_not_shown()
    {
        var tree = SessionTree.Empty();
        foreach (var key in (string[])["_flash", "_session", "_flash.new", "a"])
            tree.Set(SessionPath.Literal(key), SessionValue.From(new byte[] { 1 }));
        var session = Loaded(tree.ToPayload());
        Assert.Equal(["a"], session.Literals.Keys);
        foreach (var key in (string[])["_flash", "_session", "_flash.new"])
            Assert.False(session.Literals.TryGet(key, out _));
    }

    [Fact]
    public void What_only_resembles_them_is_anybodys()
    {
        var session = _engine.Manager.Create();
        foreach (var key in (string[])["_flashy", "_sessions", "_Flash", "a._flash", "__flash"])
            session.Literals.Set(key, [1]);
        Assert.Equal(5, session.Literals.Keys.Count);
    }

    [Fact]
    public async Task Removing_what_is_not_there_is_nothing_to_store_but_is_done_again_on_newer_values()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var commits = _engine.Store.Commits;
        var idle = await _engine.LoadAsync(id);
        idle.Literals.Remove("b");
        Assert.False(idle.Remove("c.d"));
        Assert.False(idle.HasWork);
        await idle.CommitAsync(Token);
        Assert.Equal(commits, _engine.Store.Commits);

        // With something to store, the removal is a part of it: who comes later removes what somebody has put there meanwhile.
        var busy = await _engine.LoadAsync(id);
        busy.Literals.Remove("b");
        busy["mine"] = 1;
        await _engine.OtherAsync(id, session => session["b"] = "theirs");
        await busy.CommitAsync(Token);
        Assert.Equal("{a: 1, mine: 1}", await _engine.SeenAsync(id));
    }

    [Fact]
    public async Task A_session_that_cannot_be_written_lets_what_is_not_there_be_removed()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var reader = await _engine.LoadAsync(id, SessionAccess.ReadOnly);
        reader.Literals.Remove("b");
        Assert.Throws<InvalidOperationException>(() => reader.Literals.Remove("a"));
        Assert.Throws<InvalidOperationException>(() => reader.Literals.Set("b", [1]));

        var ended = await _engine.LoadAsync(id);
        ended.Destroy();
        ended.Literals.Remove("a");
        Assert.Throws<InvalidOperationException>(() => ended.Literals.Set("a", [1]));
        await ended.CommitAsync(Token);
        ended.Literals.Remove("a");
    }

    [Fact]
    public async Task A_key_that_was_read_is_guarded_and_only_that_one()
    {
        var id = await _engine.StoredAsync(("x", 1));
        await _engine.OtherAsync(id, session => session.Literals.Set("a.b", [1]));

        var reader = await _engine.LoadAsync(id);
        Assert.True(reader.Literals.TryGet("a.b", out _));
        reader["mine"] = 1;
        await _engine.OtherAsync(id, session => session["a"] = "the path's first half");
        await reader.CommitAsync(Token);

        var late = await _engine.LoadAsync(id);
        Assert.True(late.Literals.TryGet("a.b", out _));
        late["mine"] = 2;
        await _engine.OtherAsync(id, session => session.Literals.Set("a.b", [2]));
        Assert.Equal("a.b", (await Assert.ThrowsAsync<SessionConflictException>(async () => await late.CommitAsync(Token))).Path);
    }

    private Session Loaded(ReadOnlyMemory<byte> payload) => new(_engine.Manager, null, SessionTree.Read(payload), SessionAccess.Optimistic, default);

    private static void AssertSame(Dictionary<string, byte[]> model, Session session)
    {
        Assert.Equal(model.Keys.Order(StringComparer.Ordinal), session.Literals.Keys.Order(StringComparer.Ordinal));
        foreach (var (key, value) in model)
        {
            Assert.True(session.Literals.TryGet(key, out var read));
            Assert.Equal(value, read);
        }
    }
}
