using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using CsCheck;
using MessagePack;
using RedisSessions.Tests.Properties;
using RedisSessions.Tests.Support;
using RedisSessions.Values;
using static RedisSessions.Tests.Values.Given;

namespace RedisSessions.Tests.Values;

/// <summary>A large payload begins with an index of its entries: what it says, what a reader believes of it, and that nobody can tell which session has one.</summary>
public sealed class PayloadIndexTests
{
    private const int HeaderLength = 7;

    private readonly Engine _engine = new(options => options.UserKey = "a.b");

    [Fact]
    public void A_payload_has_an_index_when_it_is_large_and_its_entries_are_not_tiny()
    {
        Assert.Equal(0, GroupSize(Tree(("text", new string('x', 8_000)))));
        Assert.Equal(1, GroupSize(Tree(("text", new string('x', 8_192)))));
        Assert.Equal(1, GroupSize(Numbered(80, 128)));
        Assert.Equal(16, GroupSize(Numbered(80, 127)));
        Assert.Equal(16, GroupSize(Numbered(2_000, 8)));
        Assert.Equal(0, GroupSize(Numbered(2_000, 7)));
        Assert.Equal(0, PayloadIndex.SizeOf(PayloadIndex.SmallestMap - 1, 1));
        Assert.Equal(HeaderLength + 64 * 2 + 64 * 4, PayloadIndex.SizeOf(PayloadIndex.SmallestMap, 64));
        Assert.Equal(HeaderLength + 65 * 2 + 5 * 4, PayloadIndex.SizeOf(PayloadIndex.SmallestMap, 65));
        Assert.Equal(HeaderLength + 1_024 * 2 + 64 * 4, PayloadIndex.SizeOf(PayloadIndex.SmallestMap, 1_024));
        Assert.Equal(0, PayloadIndex.SizeOf(PayloadIndex.SmallestMap, 1_025));
        // Never more than a twentieth of entries that are alone, and three tenths of others.
        Assert.True(PayloadIndex.SizeOf(PayloadIndex.SmallestMap, 64) * 20 < PayloadIndex.SmallestMap);
        Assert.True(PayloadIndex.SizeOf(PayloadIndex.SmallestMap, 1_024) * 10 / 3 < PayloadIndex.SmallestMap);

        static int GroupSize(SessionTree tree) => tree.ToPayload().Span is [0xc9, _, _, _, _, 2, var size, ..] ? size : 0;
    }

    [Fact]
    public void An_index_is_the_hashes_of_the_keys_and_the_lengths_of_the_groups()
    {
        // CRC-32C of "text" is 2F5319E1, of "n" 9FC37F14, of "list" 3F0F3AC4.
        var payload = Tree(("text", new string('x', 10_000)), ("n", 1), ("list", new[] { 1, 2, 3 })).ToPayload().Span;
        Assert.Equal("C9000000130201" + "19E17F143AC4" + "0000271800000003" + "00000009", Convert.ToHexString(payload[..(HeaderLength + 18)]));
        Assert.Equal(0x83, payload[HeaderLength + 18]);

        payload = Numbered(300, 100).ToPayload().Span;
        Assert.Equal("C9000002A50210", Convert.ToHexString(payload[..HeaderLength]));
        // Eighteen groups of 16, and one of 12.
        Assert.Equal("0000064000000640" + "000004B0" + "DE012C", Convert.ToHexString(payload.Slice(HeaderLength + 600 + 16 * 4, 15)));
    }

    [Fact]
    public void A_hash_is_the_lower_half_of_a_CRC_32C()
    {
        Assert.Equal(0x9283, KeyHash.Of("123456789"u8));
        for (var length = 0; length < 40; length++)
        {
            var text = Encoding.ASCII.GetBytes(new string('k', length) + length);
            Assert.Equal(HashOf(text), KeyHash.Of(text));
        }
    }

    [Fact]
    public void With_an_index_or_without_one_a_session_is_the_same_whatever_is_done() =>
        Gen.Select(Operation.Tree, Operation.List, Operation.List, Gen.Int[0, 40], Gen.Int[0, 3]).Sample((start, before, after, more, filling) =>
        {
            // Few large entries; many small ones, in groups that are whole or not; and as many as turn from the one into the other by what is added and removed.
            var (count, size) = filling switch { 0 => (20, 600), 1 => (400, 30), 2 => (403, 30), _ => (70, 130) };
            var tree = SessionTree.Empty();
            for (var i = 0; i < count; i++)
                tree.Set(Path($"filling{i}"), SessionValue.From(new string('x', size)));
            foreach (var (key, value) in start)
                tree.Set(Path(key), SessionValue.From(value));
            var payload = tree.ToPayload().ToArray();
            Assert.True(PayloadIndex.Begins(payload));
            var (with, without) = (Session(SessionTree.Read(payload)), Session(SessionTree.Read(WithoutIndex(payload))));
            // Edits, and enough of them to unfold the map; then, on what was committed, more of them.
            for (var i = 0; i < more; i++)
                Both(session => session.Set($"more{i}", i));
            for (var i = 0; i < more % 5; i++)
                Same(session => session.Remove($"filling{i * 17}") ? "removed" : "not there");
            foreach (var operation in before)
                Same(operation.Run);
            Committed();
            foreach (var operation in after)
                Same(operation.Run);
            // What was committed is as good as lost, and the changes since go onto what was there at first.
            Assert.Equal(
                without.Work.RebaseOn(SessionTree.Read(WithoutIndex(payload)), whateverWasRead: false)?.Text,
                with.Work.RebaseOn(SessionTree.Read(payload), whateverWasRead: false)?.Text);
            Committed();

            void Both(Action<Session> run)
            {
                run(with);
                run(without);
            }

            void Same(Func<Session, string> run) => Assert.Equal(run(without), run(with));

            void Committed()
            {
                Same(session => Text(session.All()));
                foreach (var key in new[] { "a", "b", "c", "0", "1", "2", "more3", "filling7", "_flash" })
                {
                    Same(session => session.Work.View.TryGet(Path(key), out var value) ? Text(value.ToObject()) : "none");
                    Assert.True(with.Work.View.SameAt(Path(key), without.Work.View));
                }

                var (mine, other) = (with.Work.View.ToPayload().ToArray(), without.Work.View.ToPayload().ToArray());
                Assert.Equal(other, mine);
                AssertIndex(mine);
                Assert.Equal(mine.Length, with.Work.View.Size);
                var written = new byte[mine.Length + 3];
                with.Work.View.WritePayload(written);
                Assert.Equal(mine, written[..^3]);
                // From scratch: a tree that knows the map alone.
                Assert.Equal(mine, SessionTree.Read(WithoutIndex(mine)).ToPayload().ToArray());
                Assert.Equal(Text(with.Work.View), Text(SessionTree.Read(mine)));
                Both(session => session.Work.Commit(session.Work.ShareView()));
            }
        }, iter: 800);

    [Fact]
    public void Any_damage_is_refused_or_found_and_never_anything_else() =>
        Gen.Select(Operation.Tree, Gen.Select(Gen.Int[0, 500], Gen.Byte).Array[1, 4], Gen.Int[-20, 20], Gen.Bool).Sample((start, flips, cut, small) =>
        {
            var tree = SessionTree.Empty();
            foreach (var (key, value) in start)
                tree.Set(Path(key), SessionValue.From(value));
            tree.Set(Path("filling"), SessionValue.From(new string('x', small ? 60 : 10_000)));
            for (var i = 0; small && i < 150; i++)
                tree.Set(Path($"more{i}"), SessionValue.From(new string('x', 60)));
            var payload = tree.ToPayload().ToArray();
            foreach (var (at, value) in flips)
                payload[at] = value;
            payload = cut < 0 ? payload[..^-cut] : [.. payload, .. new byte[cut / 5]];
            SessionTree read;
            try
            {
                read = SessionTree.Read(payload, e => new DamagedException(e));
            }
            catch (DamagedException)
            {
                return;
            }

            foreach (var (_, use) in PayloadIndexDamageTests.Uses("a").Concat(PayloadIndexDamageTests.Uses("filling")).Concat(PayloadIndexDamageTests.Uses("new")))
            {
                try
                {
                    use(read.Fork());
                }
                catch (DamagedException)
                {
                }
            }
        }, iter: 3_000);

    // Two entries, a and b, alone and as one group.
    private const string Alone = "C90000000D0201", Together = "C9000000090210", Hashes = "4330B0C4", Map = "82A161CC01A162CC02";

    public static TheoryData<string, string> WrongIndexes => new()
    {
        { "another type", "C90000000D0301" + Hashes + "0000000400000004" + Map },
        { "cut off after three bytes", "C90000" },
        { "cut off before its hashes", Alone },
        { "cut off before its lengths", Alone + Hashes },
        { "without a size of groups", "C9000000000201" },
        { "groups of nothing", "C9000000090200" + Hashes + "00000008" + Map },
        { "four billion bytes", "C9FFFFFFFF0201" + Hashes + "0000000400000004" + Map },
        { "no map", Alone + Hashes + "0000000400000004" },
        { "a list", Alone + Hashes + "0000000400000004" + "92A161CC01A162CC02" },
        { "a list of as many", Alone + Hashes + "0000000400000004" + "94A161CC01A162CC02" },
        { "a text", "C9000000010201" + "A161" },
        { "an index of an index", "C9000000010201" + "C9000000010201" + "80" },
        { "an index without hashes, of before format 2", "C90000000801" + "0000000400000004" + Map },
        { "without hashes, two billion bytes", "C97FFFFFFF01" + "0000000400000004" + Map },
        { "without hashes, cut off", "C90000000901" + "0000000400000004" },
        { "less than nothing", "C9000000000201" + "80" },
        { "no value of a session", "C9000000010201" + "C1" },
        { "one entry less", "C9000000070201" + "4330" + "00000008" + Map },
        { "one entry more", "C9000000130201" + Hashes + "0000" + "000000040000000400000000" + Map },
        { "half a length", "C90000000B0201" + Hashes + "000000040000" + Map },
        { "one group more", "C90000000D0210" + Hashes + "0000000400000004" + Map },
        { "a group less", "C9000000090201" + Hashes + "00000008" + Map },
        { "a map of four billion", Alone + Hashes + "0000000400000004" + "DFFFFFFFFFA161CC01" },
        { "an entry of four billion", Alone + Hashes + "FFFFFFFF00000004" + Map },
        { "entries that overlap", Alone + Hashes + "0000000AFFFFFFFE" + Map },
        { "an entry that begins before the map", Alone + Hashes + "00000004FFFFFFFC" + Map },
        { "entries that end before the map", Alone + Hashes + "0000000400000003" + Map },
        { "entries that end behind the map", Alone + Hashes + "0000000400000005" + Map },
        { "a group that ends before the map", Together + Hashes + "00000007" + Map },
        { "a group that ends behind the map", Together + Hashes + "00000009" + Map },
        { "bytes after the map", Alone + Hashes + "0000000400000004" + Map + "00" },
    };

    [Theory]
    [MemberData(nameof(WrongIndexes))]
    public void An_index_that_is_not_that_of_its_map_is_refused(string kind, string hex)
    {
        Assert.NotEmpty(kind);
        Assert.Throws<FormatException>(() => SessionTree.Read(Convert.FromHexString(hex)));
        Assert.Throws<DamagedException>(() => SessionTree.Read(Convert.FromHexString(hex), e => new DamagedException(e)));
    }

    public static TheoryData<string, string> WrongEntries => new()
    {
        { "an entry of nothing", Alone + Hashes + "0000000000000008" + Map },
        { "an entry of a key alone", Alone + Hashes + "0000000200000006" + Map },
        { "an entry of half a key", Alone + Hashes + "0000000100000007" + Map },
        { "an entry and half of the next", Alone + Hashes + "0000000600000002" + Map },
        { "a key of an unknown kind", Alone + Hashes + "0000000400000004" + "82A161CC01C162CC02" },
        { "a key longer than its entry", Alone + Hashes + "0000000400000004" + "82A161CC01BF62CC02" },
        { "another key than the index has", Alone + "433043D9" + "0000000400000004" + Map },
        { "a group with another key", Together + "433043D9" + "00000008" + Map },
        { "a group of three entries", Together + Hashes + "0000000B" + "82A161CC01A162CC02A16301" },
        { "a group of one entry", Together + Hashes + "00000004" + "82A161CC01" },
        { "a group of half an entry", Together + Hashes + "00000006" + "82A161CC01A162" },
    };

    [Theory]
    [MemberData(nameof(WrongEntries))]
    public void A_group_that_is_not_what_its_index_says_is_refused_by_who_looks_at_it(string kind, string hex)
    {
        Assert.NotEmpty(kind);
        var tree = SessionTree.Read(Convert.FromHexString(hex), e => new DamagedException(e));
        Assert.Throws<DamagedException>(() => tree.ToValue());
        Assert.Throws<DamagedException>(() => tree.Entries().ToList());
        Assert.Throws<FormatException>(() => SessionTree.Read(Convert.FromHexString(hex)).ToValue());
        // Who looks for one of the two may find it, or that the other has not its length; never something else.
        foreach (var (key, value) in new[] { ("a", 1L), ("b", 2L) })
        {
            var error = Record.Exception(() => Assert.True(!tree.TryGet(Path(key), out var found) || found.ToObject() is long number && number == value));
            Assert.True(error is null or DamagedException, error?.ToString());
        }
    }

    [Theory]
    [InlineData(Alone + Hashes + "0000000400000004")]
    [InlineData(Together + Hashes + "00000008")]
    [InlineData("C9000000090202" + Hashes + "00000008")]
    public void The_right_one_is_accepted_however_small_the_map_is_and_not_written_again(string index)
    {
        var tree = SessionTree.Read(Convert.FromHexString(index + Map));
        Assert.Equal("{a: 1, b: 2}", Text(tree));
        Assert.Equal(Map, Convert.ToHexString(tree.ToPayload().Span));
    }

    [Theory]
    [InlineData("C9000000010201")]
    [InlineData("C9000000010210")]
    public void An_empty_map_may_have_one(string index) => Assert.Equal("{}", Text(SessionTree.Read(Convert.FromHexString(index + "80"))));

    [Fact]
    public void Keys_with_the_same_hash_are_told_apart_and_of_equal_ones_the_first_counts()
    {
        // Of four thousand keys by chance a hundred pairs share a hash; numbered ones share none.
        var random = new Random(1);
        var keys = Enumerable.Range(0, 4_000).Select(i => i == 7 ? "key7" : $"key{random.NextInt64():x}").ToArray();
        var same = keys.GroupBy(key => HashOf(Encoding.ASCII.GetBytes(key))).Where(group => group.Count() > 1).SelectMany(group => group).ToArray();
        Assert.NotEmpty(same);
        var tree = SessionTree.Read(SessionTree.Read(Indexed(16, [.. keys.Select((key, i) => (key, SessionValue.From(i).Bytes.ToArray()))])).ToPayload());
        foreach (var key in same)
            Assert.True(tree.TryGet(Path(key), out var value) && Equals(value.ToObject(), (long)Array.IndexOf(keys, key)), key);

        var twice = SessionTree.Read(Indexed(16, [.. keys.Append("key7").Select((key, i) => (key, SessionValue.From(i).Bytes.ToArray()))]));
        Assert.True(twice.TryGet(Path("key7"), out var first) && first.ToObject() is 7L);
        Assert.True(twice.Remove(Path("key7")));
        Assert.False(twice.TryGet(Path("key7"), out _));
        Assert.False(SessionTree.Read(twice.ToPayload()).TryGet(Path("key7"), out _));
    }

    [Theory]
    [InlineData("ä€😀")]
    [InlineData("")]
    [InlineData("17")]
    [InlineData("-5")]
    [InlineData("a key that is longer than thirty-one bytes")]
    public void A_key_is_found_whatever_it_is(string key)
    {
        // Numbers as PHP's and other writers' maps have them.
        byte[] bytes = long.TryParse(key, out var number) ? SessionValue.From(number).Bytes.ToArray() : SessionValue.From(key).Bytes.ToArray();
        foreach (var (count, size) in new[] { (20, 600), (400, 30) })
        {
            var filling = Enumerable.Range(0, count).SelectMany<int, byte>(i => [.. SessionValue.From($"filling{i}").Bytes.Span, .. SessionValue.From(new string('x', size)).Bytes.Span]);
            byte[] map = [0xde, (byte)((count + 2) >> 8), (byte)(count + 2), .. filling, 0xc3, 7, .. bytes, 42];
            var payload = SessionTree.Read(map).ToPayload().ToArray();
            Assert.True(PayloadIndex.Begins(payload));
            var tree = SessionTree.Read(payload);
            Assert.True(tree.TryGet(SessionPath.Literal(key), out var value) && value.ToObject() is 42L);
            // A key that no path leads to stays.
            tree.Set(Path("newer"), SessionValue.From(1));
            Assert.True(tree.ToPayload().Span.IndexOf((byte[])[0xc3, 7]) > 0);
            Assert.Equal(count + 3, tree.Entries().Count());
        }
    }

    [Fact]
    public void Values_nest_as_deep_with_an_index_as_without_one()
    {
        byte[] filling = SessionValue.From(new string('x', 10_000)).Bytes.ToArray();
        foreach (var levels in new[] { 63, 64 })
        {
            var payload = Indexed(1, ("deep", [.. Enumerable.Repeat((byte)0x91, levels), 0x01]), ("text", filling));
            var whole = Record.Exception(() => SessionTree.Read(WithoutIndex(payload)));
            var touched = Record.Exception(() => SessionTree.Read(payload).TryGet(Path("deep"), out _));
            Assert.Equal(levels == 63 ? null : typeof(FormatException), whole?.GetType());
            Assert.Equal(whole?.GetType(), touched?.GetType());
        }
    }

    [Theory]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(65_535)]
    public void A_map_with_an_index_grows_past_the_lengths_of_its_header(int count)
    {
        var tree = SessionTree.Read(Numbered(count, count < 100 ? 2_000 : 130).ToPayload());
        tree.Set(Path("one"), SessionValue.From(1));
        tree.Set(Path("two"), SessionValue.From(2));
        var payload = tree.ToPayload().ToArray();
        AssertIndex(payload);
        Assert.True(SessionTree.Read(payload).TryGet(Path("two"), out _));
    }

    [Theory]
    [InlineData(1, 700)]
    [InlineData(16, 20)]
    public void Loading_and_writing_look_at_no_value_but_those_beside_the_one_they_want(int groupSize, int size)
    {
        // Values that are none: whoever looked at one of them would throw.
        var count = Math.Max(16, 10_000 / size);
        var entries = Enumerable.Range(0, count).Select(i => ($"bad{i}", Enumerable.Repeat((byte)0xc1, size).ToArray()));
        // A group without them before, and one behind.
        var good = Enumerable.Range(0, 16).Select(i => ($"good{i}", new byte[] { 1 }));
        var all = good.Concat(entries.Take(count / 16 * 16)).Concat(good.Select(pair => ("other " + pair.Item1, pair.Item2))).Append(("n", new byte[] { 1 })).ToArray();
        var tree = SessionTree.Read(Indexed(groupSize, all)).Fork();
        Assert.False(tree.TryGet(Path("nothing"), out _));
        Assert.True(tree.TryIncrement(Path("n"), 1, out _));
        tree.Set(Path("good3"), SessionValue.From("longer than it was"));
        tree.Set(Path("new"), SessionValue.From(1));
        var payload = tree.ToPayload().ToArray();
        Assert.True(SessionTree.Read(payload).TryGet(Path("n"), out var value) && value.ToObject() is 2L);
        Assert.True(SessionTree.Read(payload).TryGet(Path("good15"), out value) && value.ToObject() is 1L);
        Assert.True(SessionTree.Read(payload).TryGet(Path("new"), out value) && value.ToObject() is 1L);
        Assert.Throws<FormatException>(() => SessionTree.Read(payload).TryGet(Path("bad0"), out _));
    }

    private Session Session(SessionTree tree) => new(_engine.Manager, null, tree, SessionAccess.Optimistic, default);

    private static SessionTree Numbered(int count, int size) =>
        SessionTree.Read(SessionValue.From(Enumerable.Range(0, count).ToDictionary(i => $"k{i:D5}"[(size < 8 ? 1 : 0)..], _ => new string('x', Math.Max(0, size - (size < 40 ? 8 : 9))))).Bytes);

    /// <summary>The map of a payload alone.</summary>
    private static byte[] WithoutIndex(byte[] payload) =>
        payload[0] == 0xc9 ? payload[(HeaderLength - 1 + BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(1)))..] : payload;

    /// <summary>What an index says is what MessagePack's own reader finds.</summary>
    private static void AssertIndex(byte[] payload)
    {
        var map = WithoutIndex(payload);
        var reader = new MessagePackReader(map);
        var count = reader.ReadMapHeader();
        Assert.Equal(map.Length >= PayloadIndex.SmallestMap && map.Length / PayloadIndex.SmallestEntry >= count, map.Length != payload.Length);
        if (map.Length == payload.Length)
            return;
        var groupSize = map.Length / PayloadIndex.SmallestAlone >= count ? 1 : 16;
        var entries = new (string, byte[])[count];
        for (var i = 0; i < count; i++)
            entries[i] = (reader.ReadString()!, reader.ReadRaw().ToArray());
        Assert.True(reader.End);
        Assert.Equal(Indexed(groupSize, entries), payload);
    }
}
