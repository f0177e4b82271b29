using System.Globalization;
using RedisSessions.Values;
using static RedisSessions.Tests.Values.Given;

namespace RedisSessions.Tests.Values;

/// <summary>A map is changed over its bytes while the changes are few, and unfolded when they are many: nobody can tell which.</summary>
public sealed class EditingTests
{
    private const int Runs = 300, Steps = 60, Keys = 24;

    [Fact]
    public void Any_changes_of_a_map_are_those_of_a_dictionary()
    {
        for (var seed = 0; seed < Runs; seed++)
        {
            var random = new Random(seed);
            // Numbers as keys, a text that looks like one, and one that is not ASCII.
            var start = Enumerable.Range(0, random.Next(Keys)).ToDictionary(i => (object)(i % 3 == 0 ? i : $"{(i % 3 == 1 ? "k" : "ö")}{i}"), i => (object)i);
            var model = start.ToDictionary(pair => Convert.ToString(pair.Key, CultureInfo.InvariantCulture)!, pair => (long)(int)pair.Value);
            var tree = SessionTree.Read(SessionValue.From(new Dictionary<string, object> { ["m"] = start, ["other"] = "text" }).Bytes.ToArray());
            for (var step = 0; step < Steps; step++)
            {
                var number = random.Next(Keys + 4);
                var key = number % 3 == 0 ? $"{number}" : number % 3 == 1 ? $"k{number}" : $"ö{number}";
                var path = Path($"m.{key}");
                switch (random.Next(5))
                {
                    case 0:
                        Assert.Equal(model.Remove(key), tree.Remove(path));
                        break;
                    case 1:
                        Assert.True(tree.TryIncrement(path, 5, out var sum));
                        Assert.Equal(sum, model[key] = model.GetValueOrDefault(key) + 5);
                        break;
                    case 2:
                        tree = random.Next(8) == 0 ? SessionTree.Read(tree.ToPayload().ToArray()) : tree.Fork();
                        break;
                    default:
                        tree.Set(path, SessionValue.From(step));
                        model[key] = step;
                        break;
                }

                Assert.Equal(model.TryGetValue(key, out var expected), tree.TryGet(path, out var found));
                Assert.Equal(model.ContainsKey(key) ? expected : null, found.ToObject());
            }

            Assert.Equal(Text(new Dictionary<string, object?> { ["m"] = model.ToDictionary(pair => pair.Key, pair => (object?)pair.Value), ["other"] = "text" }), Text(tree));
            Assert.Equal(tree.ToPayload().Length, tree.Size);
            Assert.Equal(Text(tree), Text(SessionTree.Read(tree.ToPayload())));
        }
    }

    [Theory]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(65_534)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    public void A_map_grows_and_shrinks_past_the_lengths_of_its_header(int count)
    {
        var tree = SessionTree.Read(SessionValue.From(Enumerable.Range(0, count).ToDictionary(i => $"k{i}", i => i)).Bytes);
        tree.Set(Path("one"), SessionValue.From(1));
        tree.Set(Path("two"), SessionValue.From(2));
        tree.Remove(Path("k3"));
        var after = SessionTree.Read(tree.ToPayload().ToArray());
        Assert.Equal(count + 1, after.Entries().Count());
        Assert.True(after.TryGet(Path("two"), out var value) && value.ToObject() is 2L);
        for (var i = 4; i < count && i < 40; i++)
            after.Remove(Path($"k{i}"));
        Assert.Equal(after.ToPayload().Length, after.Size);
        Assert.False(SessionTree.Read(after.ToPayload()).TryGet(Path("k4"), out _));
    }

    [Fact]
    public void What_stands_there_twice_is_removed_as_one_and_does_not_come_to_light()
    {
        foreach (var change in new Action<SessionTree>[] { tree => tree.Remove(Path("a")), tree => { tree.Set(Path("a"), SessionValue.From(9)); tree.Remove(Path("a")); } })
        {
            var tree = SessionTree.Read(new byte[] { 0x83, 0xa1, (byte)'a', 1, 0xa1, (byte)'b', 3, 0xa1, (byte)'a', 2 });
            change(tree);
            Assert.False(tree.TryGet(Path("a"), out _));
            Assert.Equal("{b: 3}", Text(tree));
            tree.Set(Path("a"), SessionValue.From(4));
            Assert.Equal("{a: 4, b: 3}", Text(tree));
        }
    }

    [Fact]
    public void A_fork_and_what_it_was_made_from_know_nothing_of_each_other()
    {
        var packed = Tree(("a.b", 1), ("l", new[] { 1 }));
        var edited = packed.Fork();
        edited.Set(Path("a.b"), SessionValue.From(2));
        var third = edited.Fork();
        third.Set(Path("a.b"), SessionValue.From(3));
        third.TryAdd(Path("l"), SessionValue.From(2), first: false);
        edited.Set(Path("a.c"), SessionValue.From(0));
        Assert.Equal("{a: {b: 1}, l: [1]}", Text(packed));
        Assert.Equal("{a: {b: 2, c: 0}, l: [1]}", Text(edited));
        Assert.Equal("{a: {b: 3}, l: [1, 2]}", Text(third));
    }

    [Fact]
    public void Looking_at_a_tree_changes_nothing_in_it()
    {
        var tree = Tree(("a.b", 1));
        tree.Set(Path("a.c"), SessionValue.From(2));
        var before = tree.ToPayload().ToArray();
        // Other requests may look at what one has committed, all at once.
        Parallel.For(0, 200, _ =>
        {
            Assert.True(tree.TryGet(Path("a.b"), out var value) && value.ToObject() is 1L);
            Assert.Single(tree.Entries());
            Assert.Single(tree.Sizes());
            Assert.Equal(before, tree.ToPayload().ToArray());
        });
    }
}
