using System.Buffers;
using System.Diagnostics;
using System.Text;
using MessagePack;
using RedisSessions.Values;

namespace RedisSessions.Tests.Attacks;

/// <summary>An attacker can write into the store: what is read from it takes neither the process nor its memory nor its time.</summary>
public sealed class HostilePayloadTests
{
    private const int Largest = 1024 * 1024;

    public static TheoryData<string, byte[]> Bombs => new()
    {
        { "a million lists in each other", [0x81, 0xa1, (byte)'a', .. Enumerable.Repeat((byte)0x91, Largest)] },
        { "a million maps in each other", [.. Enumerable.Range(0, Largest / 3).SelectMany(_ => new byte[] { 0x81, 0xa1, (byte)'a' }), 0xc0] },
        { "a list of four billion", [0x81, 0xa1, (byte)'a', 0xdd, 0xff, 0xff, 0xff, 0xff] },
        { "a map of four billion", [0xdf, 0xff, 0xff, 0xff, 0xff] },
        { "a list of two billion, which fits an int", [0x81, 0xa1, (byte)'a', 0xdd, 0x7f, 0xff, 0xff, 0xff] },
        { "a string of four billion", [0x81, 0xa1, (byte)'a', 0xdb, 0xff, 0xff, 0xff, 0xff] },
        { "bytes of two billion", [0x81, 0xa1, (byte)'a', 0xc6, 0x7f, 0xff, 0xff, 0xff] },
        { "an extension of four billion", [0x81, 0xa1, (byte)'a', 0xc9, 0xff, 0xff, 0xff, 0xff, 0xff] },
        { "a typeless object (extension 100)", [0x81, 0xa1, (byte)'a', 0xc7, 3, 100, 0xa1, (byte)'x', 0xc0] },
        { "an LZ4 block (extension 99)", [0x81, 0xa1, (byte)'a', 0xc7, 6, 99, 0xd2, 0x7f, 0xff, 0xff, 0xff, 0x00] },
        { "LZ4 blocks (extension 98)", [0x81, 0xa1, (byte)'a', 0xd4, 98, 0] },
        { "a byte that MessagePack never uses", [0x81, 0xa1, (byte)'a', 0xc1] },
        { "two maps after each other", [0x80, 0x80] },
        { "nothing", [] },
        { "an index of four billion bytes", [0xc9, 0xff, 0xff, 0xff, 0xff, 2, 1] },
        { "an index without hashes of four billion bytes", [0xc9, 0xff, 0xff, 0xff, 0xff, 1, 0x80] },
        { "an index of a map of four billion", [0xc9, 0, 0, 0, 1, 2, 1, 0xdf, 0xff, 0xff, 0xff, 0xff] },
        { "an index of groups of nothing", [0xc9, 0, 0, 0, 1, 2, 0, 0x80] },
    };

    [Theory]
    [MemberData(nameof(Bombs))]
    public void A_bomb_is_refused_without_a_fuse(string kind, byte[] payload)
    {
        Refuse(payload);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refuse(payload);
        // An exception and its texts; not what the bomb says it is.
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 * 1024, $"{kind} allocated {GC.GetAllocatedBytesForCurrentThread() - before} bytes");

        static void Refuse(byte[] payload) => Assert.Throws<FormatException>(() => SessionTree.Read(payload));
    }

    [Fact]
    public void A_bomb_behind_an_index_is_refused_by_who_touches_it()
    {
        foreach (var (kind, payload) in Bombs.Where(bomb => bomb.Data.Item2 is [0x81, 0xa1, (byte)'a', ..]).Select(bomb => bomb.Data))
        {
            var length = payload.Length - 1;
            byte[] indexed = [0xc9, 0, 0, 0, 7, 2, 16, 0x43, 0x30, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length, .. payload];
            Refuse(indexed);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Refuse(indexed);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 * 1024, $"{kind} allocated {GC.GetAllocatedBytesForCurrentThread() - before} bytes");
        }

        static void Refuse(byte[] payload)
        {
            var tree = SessionTree.Read(payload);
            Assert.Throws<FormatException>(() => tree.TryGet(SessionPath.Parse("a.0.0"), out _));
            Assert.Throws<FormatException>(() => tree.ToValue());
        }
    }

    [Fact]
    public void Of_two_equal_keys_the_first_one_counts_for_every_way_of_reading()
    {
        byte[] payload = [0x83, 0xa1, (byte)'a', 1, 0xa1, (byte)'b', 2, 0xa1, (byte)'a', 3];
        var tree = SessionTree.Read(payload);
        Assert.True(tree.TryGet(SessionPath.Parse("a"), out var value));
        Assert.Equal(1L, value.ToObject());
        Assert.Equal(1L, ((IReadOnlyDictionary<string, object?>)tree.ToValue().ToObject()!)["a"]);
        tree.Set(SessionPath.Parse("b"), SessionValue.From(9));
        var written = SessionTree.Read(tree.ToPayload());
        Assert.True(written.TryGet(SessionPath.Parse("a"), out value));
        Assert.Equal(1L, value.ToObject());
    }

    [Fact]
    public void Keys_that_collide_take_no_more_time_than_others()
    {
        // Equal under .NET's plain string hash, which is what a table begins with before it notices.
        var colliding = CollidingKeys(13);
        var others = colliding.Select((key, i) => $"{i:D8}{new string('x', key.Length - 8)}").ToArray();
        Use(others);
        var (fair, hostile) = (Use(others), Use(colliding));
        Assert.True(hostile < fair * 20 + TimeSpan.FromSeconds(1), $"{colliding.Length} colliding keys took {hostile}, others {fair}");
    }

    [Fact]
    public void Keys_of_one_hash_in_an_index_cost_a_look_at_each_and_no_more()
    {
        var keys = KeysOfOneHash(12);
        Assert.Single(keys.Select(key => KeyHash.Of(Encoding.ASCII.GetBytes(key))).Distinct());
        var map = Map(keys);
        var payload = SessionTree.Read(map).ToPayload();
        Assert.True(PayloadIndex.Begins(payload.Span));
        Assert.Equal(keys.Length, keys.Distinct().Count());
        // In turns, some keys at a time: what else the machine does slows down both, and the ratio in the middle is of neither's bad moments.
        var (tree, ratios) = (SessionTree.Read(payload), new List<double>());
        foreach (var some in Enumerable.Range(0, keys.Length).Chunk(keys.Length / 32))
        {
            var walked = Time(some, i => Assert.True(Packed.TryFind(map, default, keys[i], 0, out var entry) && entry.Number == i));
            var found = Time(some, i => Assert.True(tree.TryGet(SessionPath.Literal(keys[i]), out var value) && value.ToObject() is long number && number == i));
            ratios.Add(found / walked);
        }

        var ratio = ratios.Order().ElementAt(ratios.Count / 2);
        Assert.True(ratio < 3.5, $"{keys.Length} keys took {ratio:F1} times as long to find as by walking.");

        static TimeSpan Time(int[] some, Action<int> look)
        {
            var started = Stopwatch.GetTimestamp();
            foreach (var i in some)
                look(i);
            return Stopwatch.GetElapsedTime(started);
        }
    }

    [Fact]
    public void A_payload_of_as_many_tiny_values_as_fit_is_used_in_time_that_grows_with_its_size()
    {
        var quarter = Use([.. Enumerable.Range(0, 25_000).Select(i => i.ToString("x5", null))]);
        var whole = Use([.. Enumerable.Range(0, 100_000).Select(i => i.ToString("x5", null))]);
        // Four times as much is allowed ten times as long; a square would take sixteen.
        Assert.True(whole < quarter * 10 + TimeSpan.FromSeconds(2), $"25,000 keys took {quarter} and 100,000 took {whole}");
    }

    [Fact]
    public void What_is_read_loads_no_type_and_no_assembly()
    {
        List<string> loaded = [];
        AppDomain.CurrentDomain.AssemblyLoad += Note;
        try
        {
            byte[] typed = [0x81, 0xa1, (byte)'a', 0xc7, 50, 100, 0xd9, 40, .. "System.Diagnostics.Process, System.Diagn"u8, .. new byte[8]];
            Assert.Throws<FormatException>(() => SessionTree.Read(typed));
            var named = SessionTree.Empty();
            named.Set(SessionPath.Parse("$type"), SessionValue.From("System.Diagnostics.Process, System.Diagnostics.Process"));
            Assert.IsType<string>(named.ToValue().ToObject() is IReadOnlyDictionary<string, object?> map ? map["$type"] : null);
        }
        finally
        {
            AppDomain.CurrentDomain.AssemblyLoad -= Note;
        }

        Assert.DoesNotContain(loaded, name => name.Contains("Process", StringComparison.Ordinal));

        void Note(object? sender, AssemblyLoadEventArgs e) => loaded.Add(e.LoadedAssembly.FullName!);
    }

    /// <summary>Reads a payload with these keys in every way there is, changes it and stores it.</summary>
    private static TimeSpan Use(string[] keys)
    {
        var map = Map(keys);
        // The fastest of three: other work of the machine makes a try slower, never faster.
        return Enumerable.Range(0, 3).Min(_ => Use(keys, map));
    }

    private static TimeSpan Use(string[] keys, byte[] map)
    {
        var started = Stopwatch.GetTimestamp();
        var tree = SessionTree.Read(map);
        tree.TryGet(SessionPath.Literal(keys[^1]), out _);
        tree.Set(SessionPath.Parse("new"), SessionValue.From(1));
        Assert.Equal(keys.Length + 1, tree.Sizes().Count());
        _ = tree.ToValue().ToObject();
        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>These keys, with their numbers as values.</summary>
    private static byte[] Map(string[] keys)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        writer.WriteMapHeader(keys.Length);
        for (var i = 0; i < keys.Length; i++)
        {
            writer.Write(keys[i]);
            writer.Write(i);
        }

        writer.Flush();
        return buffer.WrittenMemory.ToArray();
    }

    /// <summary>
    /// 2^n keys with one hash: of a CRC, what turning some letters into others changes is the sum of what each of them changes, without carries. Sixteen bits of hash and n more
    /// letters leave n sums that are nothing.
    /// </summary>
    private static string[] KeysOfOneHash(int n)
    {
        var letters = new string('b', 16 + n);
        var hash = HashOf(letters);
        List<(int Change, int Turned)> sums = [];
        List<int> nothing = [];
        for (var i = 0; i < letters.Length; i++)
        {
            var (change, turned) = (HashOf(Turn(1 << i)) ^ hash, 1 << i);
            foreach (var sum in sums)
            {
                if ((change ^ sum.Change) < change)
                    (change, turned) = (change ^ sum.Change, turned ^ sum.Turned);
            }

            if (change == 0)
                nothing.Add(turned);
            else
                sums.Add((change, turned));
        }

        return [.. Enumerable.Range(0, 1 << n).Select(chosen => Turn(nothing.Take(n).Where((_, i) => (chosen >> i & 1) == 1).Aggregate(0, (all, one) => all ^ one)))];

        string Turn(int turned) => string.Concat(letters.Select((c, i) => (turned >> i & 1) == 1 ? 'c' : c));
        int HashOf(string key) => KeyHash.Of(Encoding.ASCII.GetBytes(key));
    }

    /// <summary>
    /// Strings with one hash under the algorithm that string tables begin with: two numbers that take turns with every two characters, each rotated by five and added to itself
    /// before it meets them. A block of four of its own steps can be chosen in two ways that end in the same state; n blocks make 2^n strings.
    /// </summary>
    private static string[] CollidingKeys(int blocks)
    {
        var random = new Random(1);
        var state = (5381u << 16) + 5381u;
        List<(string One, string Other)> choices = [];
        for (var block = 0; block < blocks; block++)
        {
            while (true)
            {
                var (first, second) = (Pair(random), Pair(random));
                var end = Step(Step(state, first), second);
                var otherFirst = Pair(random);
                var otherSecond = Rotate(Step(state, otherFirst)) ^ end;
                if (otherFirst == first || !IsText(otherSecond))
                    continue;
                choices.Add((Text(first) + "zz" + Text(second) + "zz", Text(otherFirst) + "zz" + Text(otherSecond) + "zz"));
                state = end;
                break;
            }
        }

        return [.. Enumerable.Range(0, 1 << blocks).Select(n => string.Concat(choices.Select((choice, i) => (n >> i & 1) == 0 ? choice.One : choice.Other)))];

        static uint Rotate(uint h) => uint.RotateLeft(h, 5) + h;
        static uint Step(uint h, uint pair) => Rotate(h) ^ pair;
        static uint Pair(Random random) => (uint)random.Next('a', 'z') | (uint)random.Next('a', 'z') << 16;
        static bool IsText(uint pair) => !char.IsSurrogate((char)pair) && !char.IsSurrogate((char)(pair >> 16)) && (char)pair != 0 && pair >> 16 != 0;
        static string Text(uint pair) => $"{(char)pair}{(char)(pair >> 16)}";
    }
}
