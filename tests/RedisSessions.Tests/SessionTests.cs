using RedisSessions.Tests.Support;
using RedisSessions.Tests.Values;

namespace RedisSessions.Tests;

/// <summary>Every member of a session that needs no store.</summary>
public sealed class SessionTests
{
    private readonly Engine _engine = new();
    private readonly Session _session;

    public SessionTests() => _session = _engine.Manager.Create();

    public sealed record Line(string Sku, int Qty);

    [Fact]
    public void The_indexer_reads_what_it_wrote_and_null_for_what_is_missing()
    {
        _session["account.current_user_id"] = 42;
        Assert.Equal(42L, _session["account.current_user_id"]);
        Assert.Null(_session["account.missing"]);
        Assert.Equal("{account: {current_user_id: 42}}", Text());
    }

    [Fact]
    public void Null_is_present_and_missing_is_not()
    {
        _session["a"] = null;
        Assert.True(_session.Has("a"));
        Assert.Null(_session["a"]);
        Assert.True(_session.Remove("a"));
        Assert.False(_session.Has("a"));
        Assert.False(_session.Remove("a"));
    }

    [Fact]
    public void A_fallback_is_for_what_is_missing_and_for_a_null_where_there_can_be_none()
    {
        _session["null"] = null;
        Assert.Equal(7, _session.Get("missing", 7));
        Assert.Equal(7, _session.Get("null", 7));
        Assert.Equal("x", _session.Get("missing", "x"));
        Assert.Null(_session.Get("null", "x"));
        Assert.Equal(0, _session.Get<int>("missing"));
        Assert.Null(_session.Get<int?>("missing"));
    }

    [Fact]
    public void A_value_of_another_type_is_an_error_that_names_the_key_and_not_the_value()
    {
        _session["a.b"] = "secret text";
        var error = Assert.Throws<InvalidCastException>(() => _session.Get<int>("a.b"));
        Assert.Contains("'a.b'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
        Assert.Throws<InvalidCastException>(() => _session.Get<Line>("a.b"));
        Assert.Throws<InvalidCastException>(() => _session.Get<byte>("a.b"));
    }

    [Fact]
    public void A_number_that_does_not_fit_is_an_error_and_not_another_number()
    {
        _session["big"] = 300;
        Assert.Throws<InvalidCastException>(() => _session.Get<byte>("big"));
        Assert.False(_session.TryGet<byte>("big", out _));
        Assert.Equal(300, _session.Get<short>("big"));
    }

    [Fact]
    public void TryGet_says_whether_there_is_such_a_value_of_such_a_type()
    {
        _session["n"] = 5;
        _session["null"] = null;
        Assert.True(_session.TryGet<int>("n", out var n));
        Assert.Equal(5, n);
        Assert.False(_session.TryGet<string>("n", out var text));
        Assert.Null(text);
        Assert.False(_session.TryGet<int>("missing", out _));
        Assert.False(_session.TryGet<int>("null", out _));
        Assert.True(_session.TryGet<string>("null", out _));
        Assert.True(_session.TryGet<int?>("null", out var none));
        Assert.Null(none);
    }

    [Fact]
    public void An_object_goes_in_and_its_parts_come_out_by_path()
    {
        _session.Set("cart", new { Items = new[] { new Line("a", 2), new Line("b", 3) } });
        Assert.Equal(2, _session.Get<int>("cart.Items.0.Qty"));
        _session["cart.Items.1.Qty"] = 30;
        Assert.Equal([new Line("a", 2), new Line("b", 30)], _session.Get<Line[]>("cart.Items")!);
        Assert.Equal("{cart: {Items: [{Qty: 2, Sku: a}, {Qty: 30, Sku: b}]}}", Text());
    }

    [Fact]
    public void Changing_an_object_after_setting_it_changes_nothing()
    {
        var list = new List<string> { "a" };
        _session["l"] = list;
        _session.Push("m", list);
        list.Add("b");
        Assert.Equal("{l: [a], m: [[a]]}", Text());
    }

    [Fact]
    public void Clear_removes_all_and_leaves_the_session()
    {
        _session["a"] = 1;
        _session.Flash("m", 1);
        _session.Clear();
        Assert.Equal("{}", Text());
        _session["b"] = 1;
        Assert.Equal("{b: 1}", Text());
    }

    [Fact]
    public void Pull_reads_and_removes()
    {
        _session["a.b"] = "x";
        Assert.Equal("x", _session.Pull<string>("a.b"));
        Assert.Equal("y", _session.Pull("a.b", "y"));
        Assert.Equal("{a: {}}", Text());
    }

    [Fact]
    public void Increment_returns_the_sum()
    {
        Assert.Equal(1, _session.Increment("n"));
        Assert.Equal(11, _session.Increment("n", 10));
        Assert.Equal(8, _session.Increment("n", -3));
        _session["text"] = "x";
        var error = Assert.Throws<InvalidOperationException>(() => _session.Increment("text"));
        Assert.Contains("'text' is a String", error.Message, StringComparison.Ordinal);
        _session["full"] = long.MaxValue;
        Assert.Throws<InvalidOperationException>(() => _session.Increment("full"));
        Assert.Equal(long.MaxValue, _session["full"]);
    }

    [Fact]
    public void Push_and_Prepend_build_a_list()
    {
        _session.Push("a.l", 2);
        _session.Push("a.l", "three");
        _session.Prepend("a.l", 1);
        Assert.Equal("{a: {l: [1, 2, three]}}", Text());
        _session["text"] = "x";
        Assert.Throws<InvalidOperationException>(() => _session.Push("text", 1));
        Assert.Throws<InvalidOperationException>(() => _session.Prepend("text", 1));
    }

    [Fact]
    public async Task A_change_that_failed_is_not_committed()
    {
        _session["text"] = "x";
        Assert.Throws<InvalidOperationException>(() => _session.Increment("text"));
        Assert.Throws<ArgumentException>(() => _session["bad"] = new Func<int>(() => 1));
        await _session.CommitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("{text: x}", _engine.Stored(_session.SessionId));
    }

    [Fact]
    public void All_is_everything_nested()
    {
        _session["a.b"] = 1;
        _session.Push("l", null as string);
        var all = _session.All();
        Assert.Equal(["a", "l"], all.Keys.Order());
        Assert.Equal(1L, Assert.IsType<IReadOnlyDictionary<string, object?>>(all["a"], exactMatch: false)["b"]);
        Assert.Equal([null], Assert.IsType<IReadOnlyList<object?>>(all["l"], exactMatch: false));
        Assert.Throws<NotSupportedException>(() => ((IDictionary<string, object?>)all)["x"] = 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public void A_key_has_at_least_one_character(string? key)
    {
        Assert.ThrowsAny<ArgumentException>(() => _session[key!]);
        Assert.ThrowsAny<ArgumentException>(() => _session[key!] = 1);
        Assert.ThrowsAny<ArgumentException>(() => _session.Has(key!));
        Assert.ThrowsAny<ArgumentException>(() => _session.Remove(key!));
    }

    [Fact]
    public async Task What_nests_deeper_than_a_reader_follows_is_refused_when_it_is_set()
    {
        var deepest = string.Join('.', Enumerable.Repeat("a", 63));
        Assert.Throws<ArgumentException>(() => _session[deepest + ".a"] = 1);
        Assert.Throws<ArgumentException>(() => _session[deepest] = new[] { new[] { 1 } });
        Assert.Throws<ArgumentException>(() => _session.Push(deepest, new[] { 1 }));
        Assert.Throws<ArgumentException>(() => _session.Prepend(deepest, new[] { 1 }));
        Assert.Throws<ArgumentException>(() => _session.Flash(deepest, new[] { new[] { 1 } }));
        Assert.Throws<ArgumentException>(() => _session["value"] = Nested(64));
        _session[deepest] = new[] { 1 };
        _session.Push(deepest + "x", 1);
        _session["value"] = Nested(63);
        await _session.CommitAsync(TestContext.Current.CancellationToken);
        var stored = await _engine.LoadAsync(_session.SessionId);
        Assert.Equal(1, stored.Get<List<int>>(deepest)![0]);
        Assert.Equal(["a", "value"], stored.All().Keys.Order());
    }

    [Fact]
    public async Task With_read_only_access_everything_can_be_read_and_nothing_written()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync(("a", 1)), SessionAccess.ReadOnly);
        Assert.True(session.IsReadOnly);
        Assert.Equal(1L, session["a"]);
        Action[] writes =
        [
            () => session["a"] = 2, () => session.Set("a", 2), () => session.Remove("a"), session.Clear, () => session.Pull<int>("a"),
            () => session.Increment("a"), () => session.Push("l", 1), () => session.Prepend("l", 1), () => session.Flash("f", 1),
            session.Reflash, () => session.Keep("f"), () => session.RegenerateId(), () => session.Destroy(),
        ];
        Assert.All(writes, write => Assert.Throws<InvalidOperationException>(write));
        await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await session.UpdateAsync(s => s["a"] = 2, TestContext.Current.CancellationToken));
        await session.CommitAsync(TestContext.Current.CancellationToken);
        Assert.Empty(_engine.Handler.Log);
    }

    private string Text() => Given.Text(_session.All());

    private static object Nested(int levels)
    {
        object value = 1;
        for (var i = 0; i < levels; i++)
            value = new List<object> { value };
        return value;
    }
}
