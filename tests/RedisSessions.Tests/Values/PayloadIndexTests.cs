using System.Buffers.Binary;
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
    private const int HeaderLength = 6;

    private readonly Engine _engine = new(options => options.UserKey = "a.b");

    [Fact]
    public void A_payload_has_an_index_when_it_is_large_and_its_entries_are_not_tiny()
    {
        Assert.False(HasIndex(Tree(("text", new string('x', 8_000)))));
        Assert.True(HasIndex(Tree(("text", new string('x', 8_192)))));
        Assert.True(HasIndex(Numbered(80, 128)));
        Assert.False(HasIndex(Numbered(1_000, 100)));
        Assert.Equal(0, PayloadIndex.SizeOf(PayloadIndex.SmallestMap - 1, 1));
        Assert.Equal(HeaderLength + 64 * 4, PayloadIndex.SizeOf(PayloadIndex.SmallestMap, 64));
        Assert.Equal(0, PayloadIndex.SizeOf(PayloadIndex.SmallestMap, 65));
        // Never more than a thirtieth.
        Assert.True(PayloadIndex.SizeOf(PayloadIndex.SmallestMap, 64) * 30 < PayloadIndex.SmallestMap);

        static bool HasIndex(SessionTree tree) => tree.ToPayload().Span[0] == 0xc9;
    }

    [Fact]
    public void An_index_is_the_lengths_of_the_entries()
    {
        var payload = Tree(("text", new string('x', 10_000)), ("n", 1), ("list", new[] { 1, 2, 3 })).ToPayload().Span;
        Assert.Equal("C90000000C01" + "0000271800000003" + "00000009", Convert.ToHexString(payload[..(HeaderLength + 12)]));
        Assert.Equal(0x83, payload[HeaderLength + 12]);
    }

    [Fact]
    public void With_an_index_or_without_one_a_session_is_the_same_whatever_is_done() =>
        Gen.Select(Operation.Tree, Operation.List, Operation.List, Gen.Int[0, 40]).Sample((start, before, after, more) =>
        {
            var tree = SessionTree.Empty();
            for (var i = 0; i < 20; i++)
                tree.Set(Path($"filling{i}"), SessionValue.From(new string('x', 600)));
            foreach (var (key, value) in start)
                tree.Set(Path(key), SessionValue.From(value));
            var payload = tree.ToPayload().ToArray();
            Assert.True(PayloadIndex.Begins(payload));
            var (with, without) = (Session(SessionTree.Read(payload)), Session(SessionTree.Read(WithoutIndex(payload))));
            // Edits, and enough of them to unfold the map; then, on what was committed, more of them.
            for (var i = 0; i < more; i++)
                Both(session => session.Set($"more{i}", i));
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
        }, iter: 500);

    [Fact]
    public void Any_damage_is_refused_or_found_and_never_anything_else() =>
        Gen.Select(Operation.Tree, Gen.Select(Gen.Int[0, 500], Gen.Byte).Array[1, 4], Gen.Int[-20, 20]).Sample((start, flips, cut) =>
        {
            var tree = SessionTree.Empty();
            foreach (var (key, value) in start)
                tree.Set(Path(key), SessionValue.From(value));
            tree.Set(Path("filling"), SessionValue.From(new string('x', 10_000)));
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

            foreach (var (_, use) in UncheckedEntriesTests.Uses("a").Concat(UncheckedEntriesTests.Uses("filling")).Concat(UncheckedEntriesTests.Uses("new")))
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

    public static TheoryData<string, string> WrongIndexes => new()
    {
        { "another type", "C90000000802" + "0000000400000004" + "82A161CC01A162CC02" },
        { "cut off after three bytes", "C90000" },
        { "cut off before its lengths", "C90000000801" + "00000004" },
        { "four billion bytes", "C9FFFFFFFF01" + "0000000400000004" + "82A161CC01A162CC02" },
        { "no map", "C90000000801" + "0000000400000004" },
        { "a list", "C90000000801" + "0000000400000004" + "92A161CC01A162CC02" },
        { "a text", "C90000000001" + "A161" },
        { "an index of an index", "C90000000001" + "C90000000001" + "80" },
        { "no value of a session", "C90000000001" + "C1" },
        { "one entry less", "C90000000401" + "00000008" + "82A161CC01A162CC02" },
        { "one entry more", "C90000000C01" + "000000040000000400000000" + "82A161CC01A162CC02" },
        { "half a length", "C90000000601" + "000000040000" + "82A161CC01A162CC02" },
        { "a map of four billion", "C90000000801" + "0000000400000004" + "DFFFFFFFFFA161CC01" },
        { "an entry of nothing", "C90000000801" + "0000000000000008" + "82A161CC01A162CC02" },
        { "an entry of a key alone", "C90000000801" + "0000000200000006" + "82A161CC01A162CC02" },
        { "an entry of half a key", "C90000000801" + "0000000100000007" + "82A161CC01A162CC02" },
        { "an entry of four billion", "C90000000801" + "FFFFFFFF00000004" + "82A161CC01A162CC02" },
        { "an entry that begins before the map", "C90000000801" + "00000004FFFFFFFC" + "82A161CC01A162CC02" },
        { "entries that end before the map", "C90000000801" + "0000000400000003" + "82A161CC01A162CC02" },
        { "entries that end behind the map", "C90000000801" + "0000000400000005" + "82A161CC01A162CC02" },
        { "bytes after the map", "C90000000801" + "0000000400000004" + "82A161CC01A162CC0200" },
        { "a key of an unknown kind", "C90000000801" + "0000000400000004" + "82A161CC01C162CC02" },
        { "a key longer than its entry", "C90000000801" + "0000000400000004" + "82A161CC01BF62CC02" },
    };

    [Theory]
    [MemberData(nameof(WrongIndexes))]
    public void An_index_that_is_not_that_of_its_map_is_refused(string kind, string hex)
    {
        Assert.NotEmpty(kind);
        Assert.Throws<FormatException>(() => SessionTree.Read(Convert.FromHexString(hex)));
        Assert.Throws<DamagedException>(() => SessionTree.Read(Convert.FromHexString(hex), e => new DamagedException(e)));
    }

    [Fact]
    public void The_right_one_is_accepted_however_small_the_map_is_and_not_written_again()
    {
        var tree = SessionTree.Read(Convert.FromHexString("C90000000801" + "0000000400000004" + "82A161CC01A162CC02"));
        Assert.Equal("{a: 1, b: 2}", Text(tree));
        Assert.Equal("82A161CC01A162CC02", Convert.ToHexString(tree.ToPayload().Span));
        Assert.Equal("{}", Text(SessionTree.Read(Convert.FromHexString("C90000000001" + "80"))));
    }

    [Fact]
    public void Values_nest_as_deep_with_an_index_as_without_one()
    {
        byte[] filling = SessionValue.From(new string('x', 10_000)).Bytes.ToArray();
        foreach (var levels in new[] { 63, 64 })
        {
            var payload = Indexed(("deep", [.. Enumerable.Repeat((byte)0x91, levels), 0x01]), ("text", filling));
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

    [Fact]
    public void Loading_and_writing_look_at_no_value()
    {
        // Values that are none: whoever looked at one of them would throw.
        var entries = Enumerable.Range(0, 14).Select(i => ($"bad{i}", Enumerable.Repeat((byte)0xc1, 700).ToArray())).Append(("n", [1])).ToArray();
        var tree = SessionTree.Read(Indexed(entries)).Fork();
        Assert.False(tree.TryGet(Path("nothing"), out _));
        Assert.True(tree.TryIncrement(Path("n"), 1, out _));
        var payload = tree.ToPayload().ToArray();
        Assert.True(SessionTree.Read(payload).TryGet(Path("n"), out var value) && value.ToObject() is 2L);
    }

    private Session Session(SessionTree tree) => new(_engine.Manager, null, tree, SessionAccess.Optimistic, default);

    private static SessionTree Numbered(int count, int size) =>
        SessionTree.Read(SessionValue.From(Enumerable.Range(0, count).ToDictionary(i => $"k{i:D5}", _ => new string('x', size - 8))).Bytes);

    /// <summary>The map of a payload alone.</summary>
    private static byte[] WithoutIndex(byte[] payload) =>
        payload[0] == 0xc9 ? payload[(HeaderLength + BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(1)))..] : payload;

    /// <summary>What an index says is what MessagePack's own reader finds.</summary>
    private static void AssertIndex(byte[] payload)
    {
        var map = WithoutIndex(payload);
        var reader = new MessagePackReader(map);
        var count = reader.ReadMapHeader();
        Assert.Equal(map.Length >= PayloadIndex.SmallestMap && map.Length / PayloadIndex.SmallestEntry >= count, map.Length != payload.Length);
        if (map.Length == payload.Length)
            return;
        Assert.Equal(HeaderLength + 4 * count + map.Length, payload.Length);
        for (var i = 0; i < count; i++)
        {
            var start = reader.Consumed;
            reader.Skip();
            reader.Skip();
            Assert.Equal(reader.Consumed - start, BinaryPrimitives.ReadUInt32BigEndian(payload.AsSpan(HeaderLength + 4 * i)));
        }

        Assert.True(reader.End);
    }
}
