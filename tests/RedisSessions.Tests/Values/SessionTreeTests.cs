using RedisSessions.Values;
using static RedisSessions.Tests.Values.Given;

namespace RedisSessions.Tests.Values;

/// <summary>Dot notation over MessagePack bytes.</summary>
public sealed class SessionTreeTests
{
    [Theory]
    [InlineData("a", "1")]
    [InlineData("b.c", "2")]
    [InlineData("b", "{c: 2}")]
    [InlineData("l.0", "x")]
    [InlineData("l.1.deep", "3")]
    [InlineData("missing", null)]
    [InlineData("b.missing", null)]
    [InlineData("a.b", null)]
    [InlineData("l.2", null)]
    [InlineData("l.-1", null)]
    [InlineData("l.00", null)]
    [InlineData("l.01", null)]
    [InlineData("l.x", null)]
    [InlineData("l.0.x", null)]
    [InlineData("b.", null)]
    [InlineData(".b", null)]
    [InlineData(".", null)]
    [InlineData("l.9999999999999999999", null)]
    public void A_path_walks_maps_by_key_and_lists_by_number(string path, string? value)
    {
        var tree = Tree(("a", 1), ("b.c", 2), ("l", new object[] { "x", new Dictionary<string, object> { ["deep"] = 3 } }));
        Assert.Equal(value is not null, tree.TryGet(Path(path), out var found));
        Assert.Equal(value ?? "null", Text(found.ToObject()));
        // The same after everything has been unfolded for writing.
        tree.Set(Path("l.1.other"), SessionValue.From(1));
        tree.Set(Path("b.other"), SessionValue.From(1));
        tree.Remove(Path("l.1.other"));
        tree.Remove(Path("b.other"));
        Assert.Equal(value is not null, tree.TryGet(Path(path), out found));
        Assert.Equal(value ?? "null", Text(found.ToObject()));
    }

    [Fact]
    public void A_literal_key_with_dots_wins_when_reading_and_removing_and_set_goes_past_it()
    {
        var tree = SessionTree.Read(SessionValue.From(new Dictionary<string, string> { ["a.b"] = "literal" }).Bytes);
        tree.Set(Path("a.b"), SessionValue.From("path"));
        Assert.Equal("{a: {b: path}, a.b: literal}", Text(tree));
        Assert.True(tree.TryGet(Path("a.b"), out var found));
        Assert.Equal("literal", found.ToObject());
        Assert.True(tree.Remove(Path("a.b")));
        Assert.True(tree.TryGet(Path("a.b"), out found));
        Assert.Equal("path", found.ToObject());
        Assert.True(tree.Remove(Path("a.b")));
        Assert.Equal("{a: {}}", Text(tree));
    }

    [Theory]
    [InlineData("text")]
    [InlineData(5)]
    [InlineData(null)]
    [InlineData(true)]
    public void Set_replaces_what_is_no_map_on_its_way(object? scalar)
    {
        var tree = Tree(("a", scalar));
        tree.Set(Path("a.b.c"), SessionValue.From(1));
        Assert.Equal("{a: {b: {c: 1}}}", Text(tree));
    }

    [Fact]
    public void A_list_element_is_set_by_its_number_and_the_next_number_appends()
    {
        var tree = Tree(("l", new[] { "a", "b" }));
        tree.Set(Path("l.1"), SessionValue.From("B"));
        tree.Set(Path("l.2"), SessionValue.From("c"));
        Assert.Equal("{l: [a, B, c]}", Text(tree));
    }

    [Theory]
    [InlineData("l.name", "{l: {0: a, 1: b, name: x}}")]
    [InlineData("l.7", "{l: {0: a, 1: b, 7: x}}")]
    [InlineData("l.01", "{l: {0: a, 01: x, 1: b}}")]
    public void A_list_that_gets_a_key_it_cannot_have_becomes_a_map_and_loses_nothing(string path, string expected)
    {
        var tree = Tree(("l", new[] { "a", "b" }));
        tree.Set(Path(path), SessionValue.From("x"));
        Assert.Equal(expected, Text(tree));
        var stored = SessionTree.Read(tree.ToPayload());
        Assert.True(stored.TryGet(Path("l.1"), out var found));
        Assert.Equal("b", found.ToObject());
    }

    [Fact]
    public void Removing_a_list_element_moves_the_later_ones_up()
    {
        var tree = Tree(("l", new[] { "a", "b", "c" }));
        Assert.True(tree.Remove(Path("l.1")));
        Assert.False(tree.Remove(Path("l.2")));
        Assert.Equal("{l: [a, c]}", Text(tree));
    }

    [Fact]
    public void Removing_what_is_not_there_changes_no_byte()
    {
        var tree = Tree(("a.b", 1), ("l", new[] { 1 }));
        var before = tree.ToPayload().ToArray();
        foreach (var path in new[] { "x", "a.x", "a.b.c", "l.1", "l.x", "x.y.z" })
            Assert.False(tree.Remove(Path(path)));
        Assert.Equal(before, tree.ToPayload().ToArray());
    }

    [Fact]
    public void Opening_a_tree_for_writing_does_not_change_the_bytes_it_was_made_from()
    {
        var bytes = Tree(("a.b", 1), ("l", new[] { 1, 2 })).ToPayload().ToArray();
        var before = bytes.ToArray();
        var tree = SessionTree.Read(bytes);
        tree.Set(Path("a.b"), SessionValue.From(2));
        tree.Remove(Path("l.0"));
        tree.ClearAllBut(Path("l"));
        Assert.Equal(before, bytes);
    }

    [Fact]
    public void Integer_keys_of_a_map_are_addressed_by_their_digits_and_stay_integers()
    {
        var map = new Dictionary<long, string>
        {
            [5] = "a", [-3] = "b", [200] = "c", [70_000] = "d", [5_000_000_000] = "e", [-100] = "f", [-1000] = "g", [-100_000] = "h", [long.MinValue] = "i",
        };
        var tree = Tree(("m", map));
        foreach (var (key, value) in map)
        {
            Assert.True(tree.TryGet(Path($"m.{key}"), out var found));
            Assert.Equal(value, found.ToObject());
        }

        tree.Set(Path("m.200"), SessionValue.From("changed"));
        Assert.True(tree.TryGet(Path("m"), out var all));
        Assert.Equal("changed", all.To<Dictionary<long, string>>()![200]);
    }

    [Fact]
    public void The_first_of_two_equal_keys_counts_whether_unfolded_or_not()
    {
        var tree = SessionTree.Read(new byte[] { 0x82, 0xa1, (byte)'a', 1, 0xa1, (byte)'a', 2 });
        Assert.True(tree.TryGet(Path("a"), out var value));
        Assert.Equal(1L, value.ToObject());
        Assert.Equal("{a: 1}", Text(tree));
        tree.Set(Path("b"), SessionValue.From(1));
        Assert.Equal("{a: 1, b: 1}", Text(tree));
    }

    [Theory]
    [InlineData("n", 5, 8)]
    [InlineData("missing", null, 3)]
    [InlineData("a.b", null, 3)]
    [InlineData("null", null, 3)]
    public void An_increment_begins_at_what_is_there(string path, int? before, long after)
    {
        var tree = before is null ? Tree(("null", null)) : Tree((path, before));
        Assert.True(tree.TryIncrement(Path(path), 3, out var sum));
        Assert.Equal(after, sum);
        Assert.True(tree.TryGet(Path(path), out var stored));
        Assert.Equal(after, stored.ToObject());
    }

    [Theory]
    [InlineData("text")]
    [InlineData(1.0)]
    [InlineData(true)]
    [InlineData(ulong.MaxValue)]
    [InlineData(long.MaxValue)]
    public void What_cannot_be_counted_up_is_left_as_it_is(object value)
    {
        var tree = Tree(("n", value));
        Assert.False(tree.TryIncrement(Path("n"), 1, out _));
        Assert.Equal(Text(Tree(("n", value))), Text(tree));
    }

    [Fact]
    public void Counting_down_stops_at_the_smallest_number()
    {
        Assert.False(Tree(("n", long.MinValue)).TryIncrement(Path("n"), -1, out _));
        Assert.True(Tree(("n", long.MaxValue)).TryIncrement(Path("n"), long.MinValue, out var sum));
        Assert.Equal(-1, sum);
    }

    [Theory]
    [InlineData("text")]
    [InlineData(1)]
    public void Only_a_list_takes_elements(object value)
    {
        var tree = Tree(("l", value));
        Assert.False(tree.TryAdd(Path("l"), SessionValue.From(1), first: false));
        Assert.Equal(Text(Tree(("l", value))), Text(tree));
    }

    [Fact]
    public void Elements_are_added_at_both_ends_and_a_missing_list_is_made()
    {
        var tree = Tree(("null", null));
        foreach (var path in new[] { "a.l", "null" })
        {
            Assert.True(tree.TryAdd(Path(path), SessionValue.From(2), first: false));
            Assert.True(tree.TryAdd(Path(path), SessionValue.From(1), first: true));
            Assert.True(tree.TryAdd(Path(path), SessionValue.From(3), first: false));
        }

        Assert.Equal("{a: {l: [1, 2, 3]}, null: [1, 2, 3]}", Text(tree));
    }

    [Fact]
    public void Sizes_are_those_of_the_encoded_values() =>
        Assert.Equal([("a", 1), ("b", 5)], Tree(("a", 1), ("b", "text")).Sizes());
}
