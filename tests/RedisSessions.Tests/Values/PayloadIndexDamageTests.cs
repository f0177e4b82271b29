using RedisSessions.Values;
using static RedisSessions.Tests.Values.Given;

namespace RedisSessions.Tests.Values;

/// <summary>What came with an index and is damaged is found by whoever touches it, and by nobody else.</summary>
public sealed class PayloadIndexDamageTests
{
    /// <summary>Everything that touches a key, by name.</summary>
    internal static IEnumerable<(string Name, Action<SessionTree> Use)> Uses(string key) =>
    [
        ("get", tree => tree.TryGet(Path(key), out _)),
        ("get below", tree => tree.TryGet(Path(key + ".x.y"), out _)),
        ("get literally", tree => tree.TryGet(SessionPath.Literal(key), out _)),
        ("compare", tree => tree.SameAt(Path(key), SessionTree.Empty())),
        ("set", tree => tree.Set(Path(key), SessionValue.From(1))),
        ("set below", tree => tree.Set(Path(key + ".x"), SessionValue.From(1))),
        ("remove", tree => tree.Remove(Path(key))),
        ("remove below", tree => tree.Remove(Path(key + ".x"))),
        ("increment", tree => tree.TryIncrement(Path(key), 1, out _)),
        ("push", tree => tree.TryAdd(Path(key), SessionValue.From(1), first: false)),
        ("keep", tree => tree.ClearAllBut(Path(key))),
        ("all", tree => tree.ToValue()),
        ("entries", tree => Assert.NotEmpty(tree.Entries())),
        ("sizes", tree => Assert.NotEmpty(tree.Sizes())),
        ("many changes", tree =>
        {
            for (var i = 0; i < 20; i++)
                tree.Set(Path($"many{i}"), SessionValue.From(i));
        }),
        ("flash", tree => FlashBag.Mark(tree, key, aged: false)),
        ("what is flashed", tree => FlashBag.Keys(tree)),
        ("ageing", tree => _ = FlashBag.Aging(tree) is { } aging && tree.Fork() is { } other && Age(other, aging)),
    ];

    private static bool Age(SessionTree tree, AgeFlashChange aging)
    {
        FlashBag.Age(tree, aging);
        return true;
    }

    public static TheoryData<string> Damages => ["an unknown kind", "too short", "too long", "cut off", "too deep", "no instant", "no extension"];

    /// <summary>A payload whose entry "bad" is of the right length by its index, and no value.</summary>
    private static byte[] Damaged(string damage, string key = "bad")
    {
        byte[] value = damage switch
        {
            "an unknown kind" => [0xc1],
            "too short" => [0x01, 0x01],
            "too long" => [0xa2, (byte)'x'],
            "cut off" => [0x81, 0xa1, (byte)'x'],
            "too deep" => [.. Enumerable.Repeat((byte)0x91, 64), 0x01],
            "no instant" => [0xd7, 0xff, .. Enumerable.Repeat((byte)0xff, 8)],
            _ => [0xc7, 3, 100, 0xa1, (byte)'x', 0xc0],
        };
        return Indexed(1, ("good", SessionValue.From(1).Bytes.ToArray()), (key, value), ("text", SessionValue.From(new string('x', 10_000)).Bytes.ToArray()));
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_entry_is_an_error_for_whoever_touches_it_in_whatever_way(string damage)
    {
        foreach (var (name, use) in Uses("bad").Where(use => use.Name is not ("flash" or "what is flashed" or "ageing")))
        {
            Found(name, () => use(Read(damage)));
            // Also over edits, and over the bytes of somebody else's edits.
            Found(name, () => use(Edited(damage)));
            Found(name, () => use(Edited(damage).Fork()));
            var plain = Assert.ThrowsAny<Exception>(() => use(SessionTree.Read(Damaged(damage))));
            Assert.True(plain is FormatException, $"{name}: {plain}");
        }

        foreach (var (name, use) in Uses("_flash").Where(use => use.Name is "flash" or "what is flashed" or "ageing"))
            Found(name, () => use(SessionTree.Read(Damaged(damage, "_flash"), e => new DamagedException(e))));
        Found("notes", () => ReservedKeys.CookieSentIn(SessionTree.Read(Damaged(damage, "_session"), e => new DamagedException(e))));

        static void Found(string name, Action use)
        {
            var error = Record.Exception(use);
            Assert.True(error is DamagedException, $"{name}: {error?.ToString() ?? "nothing was thrown"}");
        }

        static SessionTree Edited(string damage)
        {
            var tree = Read(damage);
            tree.Set(Path("good"), SessionValue.From(2));
            tree.Set(Path("new"), SessionValue.From(3));
            return tree;
        }

        static SessionTree Read(string damage) => SessionTree.Read(Damaged(damage), e => new DamagedException(e));
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void Who_does_not_touch_it_reads_and_writes_and_leaves_it_as_it_is(string damage)
    {
        var payload = Damaged(damage);
        var tree = SessionTree.Read(payload);
        foreach (var (_, use) in Uses("good").Where(use => use.Name is not ("keep" or "all" or "entries" or "sizes" or "many changes" or "flash")))
            use(tree.Fork());
        var changed = tree.Fork();
        changed.Set(Path("good"), SessionValue.From(2));
        changed = changed.Fork();
        changed.Set(Path("new.one"), SessionValue.From(3));
        Assert.True(changed.Remove(Path("good")));
        var written = changed.ToPayload().ToArray();
        // What stood behind the one that was removed, up to what is new.
        var rest = payload.AsSpan(payload.AsSpan().IndexOf("bad"u8) - 1);
        Assert.True(written.AsSpan().IndexOf(rest) > 0);
        Assert.Throws<FormatException>(() => SessionTree.Read(written).TryGet(Path("bad"), out _));
        Assert.True(SessionTree.Read(written).TryGet(Path("new.one"), out var value) && value.ToObject() is 3L);
    }

    [Fact]
    public void It_is_found_too_when_what_is_left_is_too_small_for_an_index()
    {
        var tree = SessionTree.Read(Damaged("too short"), e => new DamagedException(e));
        Assert.True(tree.Remove(Path("text")));
        Assert.False(PayloadIndex.Begins(tree.ToPayload().Span));
        Assert.Throws<DamagedException>(tree.Fork);
        Assert.Throws<FormatException>(() => SessionTree.Read(tree.ToPayload()));
    }

    /// <summary>Small entries in groups of 16, of which one group has a value that is none.</summary>
    private static byte[] DamagedGroup(int group) => Indexed(16, [.. Enumerable.Range(0, 100).Select(i =>
        ($"key{i}", i == group * 16 + 3 ? [0xc1] : SessionValue.From(new string('x', 100)).Bytes.ToArray()))]);

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    public void A_damaged_group_is_left_as_it_is_by_who_touches_others(int group)
    {
        var tree = SessionTree.Read(DamagedGroup(group), e => new DamagedException(e));
        tree.Set(Path("key0"), SessionValue.From("another"));
        tree.Set(Path("key80.x"), SessionValue.From(1));
        tree.Set(Path("new"), SessionValue.From(1));
        var written = SessionTree.Read(tree.ToPayload(), e => new DamagedException(e));
        Assert.True(written.TryGet(Path("key0"), out var value) && Equals(value.ToObject(), "another"));
        Assert.True(written.TryGet(Path("key80.x"), out value) && value.ToObject() is 1L);
        Assert.Throws<DamagedException>(() => written.TryGet(Path($"key{group * 16}"), out _));
    }

    [Fact]
    public void Who_removes_what_stands_before_it_touches_it()
    {
        var work = new Transaction(SessionTree.Read(DamagedGroup(3), e => new DamagedException(e)));
        // Entries move up from one group into another: they are looked at now, and not in the middle of a commit.
        Assert.Throws<DamagedException>(() => work.TryWrite(new RemoveChange(Path("key0"))));
        Assert.True(work.View.TryGet(Path("key0"), out _));
        Assert.True(work.TryWrite(new RemoveChange(Path("key99"))));
        var written = SessionTree.Read(work.View.ToPayload());
        Assert.True(written.TryGet(Path("key98"), out _));
        Assert.False(written.TryGet(Path("key99"), out _));
    }

    [Fact]
    public void It_is_found_too_when_entries_are_no_longer_in_groups()
    {
        var tree = SessionTree.Read(DamagedGroup(3), e => new DamagedException(e));
        tree.Set(Path("text"), SessionValue.From(new string('x', 10_000)));
        Assert.Throws<DamagedException>(() => tree.ToPayload());
    }

    [Fact]
    public void A_damaged_one_of_two_equal_keys_is_found_by_who_removes_them()
    {
        byte[] one = [0x01], filling = SessionValue.From(new string('x', 10_000)).Bytes.ToArray();
        var payload = Indexed(1, ("a", one), ("text", filling), ("a", [0xc1]));
        Assert.True(SessionTree.Read(payload).TryGet(Path("a"), out var first) && first.ToObject() is 1L);
        var work = new Transaction(SessionTree.Read(payload, e => new DamagedException(e)));
        Assert.Throws<DamagedException>(() => work.TryWrite(new RemoveChange(Path("a"))));
        // And then nothing has changed: not the first one alone either.
        Assert.Equal(payload, work.View.ToPayload().ToArray());
        Assert.True(work.TryWrite(new SetChange(Path("b"), SessionValue.From(1))));
        Assert.True(work.View.TryGet(Path("a"), out first) && first.ToObject() is 1L);
    }

    [Fact]
    public void A_change_that_meets_damage_half_way_has_changed_nothing()
    {
        var work = new Transaction(SessionTree.Read(Damaged("cut off", "_flash"), e => new DamagedException(e)));
        Assert.True(work.TryWrite(new SetChange(Path("b"), SessionValue.From(1))));
        Assert.Throws<DamagedException>(() => work.TryWrite(new FlashChange(Path("message"), SessionValue.From("saved"), Aged: false)));
        Assert.False(work.View.TryGet(Path("message"), out _));
        Assert.True(work.View.TryGet(Path("b"), out _));
        Assert.Equal(1, work.Changes.Count);
        Assert.Throws<DamagedException>(work.AgeFlash);
        Assert.False(work.FlashHasAged);
    }

    [Fact]
    public void An_entry_is_checked_once_for_all_trees_over_the_same_bytes()
    {
        var payload = Damaged("an unknown kind");
        var bad = payload.AsSpan().IndexOf((byte)0xc1);
        payload[bad] = 0x07;
        var tree = SessionTree.Read(payload);
        Assert.True(tree.TryGet(Path("bad"), out _));
        // Nobody may change bytes that a tree is over; here it shows who looks at them once more.
        payload[bad] = 0xc1;
        Assert.True(tree.TryGet(Path("bad"), out _));
        Assert.True(tree.Fork().TryGet(Path("bad"), out _));
        Assert.Throws<FormatException>(() => SessionTree.Read(payload).TryGet(Path("bad"), out _));
    }
}
