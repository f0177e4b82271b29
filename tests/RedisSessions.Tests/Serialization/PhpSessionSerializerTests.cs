using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using RedisSessions.Tests.Support;
using RedisSessions.Values;

namespace RedisSessions.Tests.Serialization;

/// <summary>PHP's formats. What a real PHP has written stands in <c>Vectors/Php</c>, with its version in the name and what is in it beside it; <c>make.php</c> there makes it.</summary>
public sealed class PhpSessionSerializerTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "RedisSessions.Tests", "Vectors", "Php");

    public static TheoryData<string> Vectors => [.. Files().Select(path => Path.GetFileName(path))];

    [Fact]
    public void There_is_a_vector_for_every_kind_in_both_formats() => Assert.Equal(19, Vectors.Count);

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_vector_of_PHP_reads_as_what_is_beside_it(string name)
    {
        var read = PhpSessionSerializer.Read(File.ReadAllBytes(Path.Combine(Folder, name)), FormatOf(name));
        Assert.Equal(File.ReadAllText(Path.Combine(Folder, Path.ChangeExtension(name, "txt"))), Describe(read));
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_vector_of_PHP_is_written_as_it_is(string name)
    {
        var session = File.ReadAllBytes(Path.Combine(Folder, name));
        var payload = PhpSessionSerializer.Read(session, FormatOf(name));
        var written = PhpSessionSerializer.Write(payload, FormatOf(name));
        if (name.Contains("precision17", StringComparison.Ordinal))
            Assert.Equal(Describe(payload), Describe(PhpSessionSerializer.Read(written, FormatOf(name))));
        else
            Assert.Equal(Encoding.Latin1.GetString(session), Encoding.Latin1.GetString(written));
    }

    // What only PHP can read has numbers of its format in it.
    public static TheoryData<string> Data => [.. Vectors.Select(row => row.Data).Where(name => !name.Contains("objects", StringComparison.Ordinal) && !name.Contains("references", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Data))]
    public void A_vector_goes_through_the_other_formats_too(string name)
    {
        var payload = PhpSessionSerializer.Read(File.ReadAllBytes(Path.Combine(Folder, name)), FormatOf(name));
        foreach (var format in Enum.GetValues<PhpSessionFormat>())
            Assert.Equal(payload.ToArray(), PhpSessionSerializer.Read(PhpSessionSerializer.Write(payload, format), format).ToArray());
    }

    [Fact]
    public void A_payload_with_an_index_is_written_as_one_without()
    {
        var tree = SessionTree.Empty();
        for (var i = 0; i < 100; i++)
            tree.Set(SessionPath.Parse($"part{i}.text"), SessionValue.From(new string('x', 200)));
        var payload = tree.ToPayload();
        Assert.True(PayloadIndex.Begins(payload.Span));

        foreach (var format in Enum.GetValues<PhpSessionFormat>())
            Assert.Equal(tree.ToValue().Bytes.ToArray(), PhpSessionSerializer.Read(PhpSessionSerializer.Write(payload, format), format).ToArray());
    }

    [Theory]
    [InlineData("a|b:2;")]
    [InlineData("a|b:1")]
    [InlineData("a|i:;")]
    [InlineData("a|i:1")]
    [InlineData("a|i:99999999999999999999;")]
    [InlineData("a|d:0x10;")]
    [InlineData("a|d:1e;")]
    [InlineData("a|s:3:\"ab\";")]
    [InlineData("a|s:-1:\"\";")]
    [InlineData("a|s:+1:\"x\";")]
    [InlineData("a|s:2147483648:\"x\";")]
    [InlineData("a|s:99999999999999999999:\"x\";")]
    [InlineData("a|a:1:{i:0;}")]
    [InlineData("a|a:2:{i:0;N;}")]
    [InlineData("a|a:1:{i:0;N;i:1;N;}")]
    [InlineData("a|a:1000000000:{i:0;N;}")]
    [InlineData("a|a:1:{N;N;}")]
    [InlineData("a|a:2:{i:1;N;i:1;N;}")]
    [InlineData("a|a:3:{i:0;N;i:1;N;i:0;N;}")]
    [InlineData("a|a:3:{i:0;N;s:1:\"x\";N;s:1:\"0\";N;}")]
    [InlineData("a|i:1;a|i:2;")]
    [InlineData("a|x:1;")]
    [InlineData("a|R:2;")]
    [InlineData("a|R:0;")]
    [InlineData("a|O:3:\"Foo\":1:{}")]
    [InlineData("a|C:3:\"Foo\":5:{abc}")]
    [InlineData("a")]
    [InlineData("a|")]
    [InlineData("a|N;b")]
    public void What_PHP_does_not_write_is_refused_and_not_quoted(string session)
    {
        var e = Assert.Throws<FormatException>(() => PhpSessionSerializer.Read(Encoding.Latin1.GetBytes(session), PhpSessionFormat.Php));
        Assert.StartsWith("the PHP session", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_nests_deeper_than_is_read_here_is_PHPs_and_deeper_than_PHP_goes_is_refused()
    {
        Assert.DoesNotContain("P", Describe(PhpSessionSerializer.Read(Nested(63), PhpSessionFormat.Php)), StringComparison.Ordinal);
        Assert.Equal("s61=P\n", Describe(PhpSessionSerializer.Read(Nested(64), PhpSessionFormat.Php)));
        Assert.Equal(Nested(4096), PhpSessionSerializer.Write(PhpSessionSerializer.Read(Nested(4096), PhpSessionFormat.Php), PhpSessionFormat.Php));
        Assert.Throws<FormatException>(() => PhpSessionSerializer.Read(Nested(4097), PhpSessionFormat.Php));

        static byte[] Nested(int levels) => Encoding.ASCII.GetBytes(
            "a|" + string.Concat(Enumerable.Repeat("a:1:{i:0;", levels)) + "N;" + new string('}', levels));
    }

    [Fact]
    public void References_move_with_what_stands_before_them()
    {
        // list takes the numbers 1 to 3, o is 4, and o.self is r:4.
        const string Object = "O:1:\"F\":2:{s:4:\"self\";r:4;s:4:\"list\";a:1:{i:0;i:7;}}";
        var tree = SessionTree.Read(PhpSessionSerializer.Read(Encoding.ASCII.GetBytes($"list|a:2:{{i:0;i:1;i:1;i:2;}}o|{Object}p|r:4;q|R:7;"), PhpSessionFormat.Php));
        tree.Set(SessionPath.Parse("n"), SessionValue.From(1));
        Assert.Equal($"list|a:2:{{i:0;i:1;i:1;i:2;}}o|{Object}p|r:4;q|R:7;n|i:1;", Written(tree));

        tree.TryAdd(SessionPath.Parse("list"), SessionValue.From(3), first: false);
        Assert.Equal($"list|a:3:{{i:0;i:1;i:1;i:2;i:2;i:3;}}o|{Object.Replace("r:4", "r:5", StringComparison.Ordinal)}p|r:5;q|R:8;n|i:1;", Written(tree));

        tree.Remove(SessionPath.Parse("list"));
        Assert.Equal($"o|{Object.Replace("r:4", "r:1", StringComparison.Ordinal)}p|r:1;q|R:4;n|i:1;", Written(tree));
    }

    [Fact]
    public void A_reference_to_what_was_removed_is_refused_by_name_and_both_may_go()
    {
        var tree = SessionTree.Read(PhpSessionSerializer.Read("a|i:5;b|R:1;c|i:1;"u8.ToArray(), PhpSessionFormat.Php));
        tree.Remove(SessionPath.Parse("a"));
        Assert.Contains("'b'", Assert.Throws<FormatException>(() => Written(tree)).Message, StringComparison.Ordinal);
        tree.Remove(SessionPath.Parse("b"));
        Assert.Equal("c|i:1;", Written(tree));
    }

    [Fact]
    public void What_somebody_makes_to_look_like_PHPs_alone_is_refused()
    {
        byte[] forged = [0x81, 0xa1, (byte)'a', .. PhpForeign.Pack("O:1:\"F\":0:{}"u8, 1, 1)];
        Packed.ValidateMap(forged);
        forged[3 + PhpForeign.Start] ^= 1;
        Assert.Throws<FormatException>(() => Packed.ValidateMap(forged));
    }

    [Theory]
    [InlineData("a|b")]
    [InlineData("5")]
    public void A_key_that_the_format_php_has_no_place_for_is_refused_by_name(string key)
    {
        var tree = SessionTree.Empty();
        tree.Set(SessionPath.Literal(key), SessionValue.From(1));
        Assert.Contains($"'{key}'", Assert.Throws<FormatException>(() => Written(tree)).Message, StringComparison.Ordinal);
        Assert.Contains("i:1;", Encoding.ASCII.GetString(PhpSessionSerializer.Write(tree.ToPayload(), PhpSessionFormat.PhpSerialize)), StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_PHP_has_no_kind_for_become_text()
    {
        var tree = SessionTree.Empty();
        tree.Set(SessionPath.Parse("bytes"), SessionValue.From(new byte[] { 0xff, 0x00 }));
        tree.Set(SessionPath.Parse("moment"), SessionValue.From(new DateTimeOffset(2020, 2, 29, 13, 0, 0, TimeSpan.FromHours(1))));
        tree.Set(SessionPath.Parse("instant"), SessionValue.From(new DateTimeOffset(2020, 2, 29, 12, 0, 0, TimeSpan.Zero)));
        tree.Set(SessionPath.Parse("day"), SessionValue.From(new DateTime(2020, 2, 29, 18, 0, 0, DateTimeKind.Unspecified)));
        tree.Set(SessionPath.Parse("price"), SessionValue.From(1.10m));
        tree.Set(SessionPath.Parse("large"), SessionValue.From(ulong.MaxValue));
        Assert.Equal(
            "bytes|s:2:\"\u00ff\0\";moment|s:33:\"2020-02-29T13:00:00.0000000+01:00\";instant|s:28:\"2020-02-29T12:00:00.0000000Z\";"
            + "day|s:27:\"2020-02-29T18:00:00.0000000\";price|s:4:\"1.10\";large|s:20:\"18446744073709551615\";", Written(tree));
    }

    /// <summary>In the notation of make.php.</summary>
    public static string Describe(ReadOnlyMemory<byte> payload)
    {
        Packed.ValidateMap(payload.Span);
        var text = new StringBuilder();
        var header = Packed.ReadHeader(payload.Span);
        var at = header.Start;
        for (var left = header.Children; left > 0; left -= 2)
            text.Append(Value(payload, ref at)).Append('=').Append(Value(payload, ref at)).Append('\n');
        return text.ToString();
    }

    internal static PhpSessionFormat FormatOf(string name) => name.EndsWith(".php", StringComparison.Ordinal) ? PhpSessionFormat.Php : PhpSessionFormat.PhpSerialize;

    internal static IEnumerable<string> Files() => Directory.GetFiles(Folder, "php-*").Where(path => !path.EndsWith(".txt", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static string Written(SessionTree tree) => Encoding.Latin1.GetString(PhpSessionSerializer.Write(tree.ToPayload(), PhpSessionFormat.Php));

    private static string Value(ReadOnlyMemory<byte> bytes, ref int at)
    {
        var value = bytes.Slice(at, Packed.Skip(bytes.Span[at..]));
        at += value.Length;
        var header = Packed.ReadHeader(value.Span);
        var inside = header.Start;
        List<string> parts = [];
        switch (header.Kind)
        {
            case SessionValueKind.Null:
                return "N";
            case SessionValueKind.Boolean:
                return value.Span[0] == 0xc3 ? "T" : "F";
            case SessionValueKind.Integer:
                return "i" + Packed.KeyText(value.Span);
            case SessionValueKind.Double:
                var number = new SessionValue(value).To<double>();
                return "d" + (double.IsNaN(number) ? "nan" : BitConverter.DoubleToInt64Bits(number).ToString("x16", CultureInfo.InvariantCulture));
            case SessionValueKind.String or SessionValueKind.Bytes:
                return "s" + Convert.ToHexStringLower(value.Span.Slice(header.Start, header.Length));
            case SessionValueKind.List:
                for (var i = 0; i < header.Children; i++)
                    parts.Add(Value(value, ref inside));
                return $"l[{string.Join(',', parts)}]";
            case SessionValueKind.Map:
                for (var i = 0; i < header.Children; i += 2)
                    parts.Add($"{Value(value, ref inside)}={Value(value, ref inside)}");
                return $"m{{{string.Join(',', parts)}}}";
            default:
                return "P";
        }
    }
}
