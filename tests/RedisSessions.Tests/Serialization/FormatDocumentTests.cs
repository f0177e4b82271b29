using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using RedisSessions.Tests.Support;
using RedisSessions.Values;

namespace RedisSessions.Tests.Serialization;

/// <summary><c>docs/format.md</c> says what the code does: its tables are read here and compared.</summary>
public sealed partial class FormatDocumentTests
{
    private static readonly string Document = Repository.Read("docs", "format.md");

    [Fact]
    public void The_table_of_the_header_is_where_the_code_writes()
    {
        // One record with a different pattern in each field, and the place of each pattern in its bytes.
        var bytes = RecordFormat.Write(new SessionRecord
        {
            Version = SessionVersion.FromValue(0x1111111111111111),
            State = SessionState.Ended,
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(0x0000222222222222),
            AbsoluteDeadline = DateTimeOffset.FromUnixTimeMilliseconds(0x0000333333333333),
            CommitIds = [.. Enumerable.Repeat(new CommitId(0x4444444444444444), SessionRecord.MaxCommitIds)],
            IdleTimeout = TimeSpan.FromMinutes(0x3777),
            PayloadFormat = PayloadFormat.MessagePack,
            Notes = Enumerable.Repeat((byte)0x66, 0x0077).ToArray(),
            Payload = Enumerable.Repeat((byte)0x55, 0x0666).ToArray(),
        });
        var expected = new (string Field, byte[] Content)[]
        {
            ("mark", "RS"u8.ToArray()), ("format version", [2]), ("payload format", [1]), ("state", [1]), ("commit ids", [8]), ("idle timeout", [0x77, 0x77]),
            ("record version", Pattern(0x11, 8)), ("created", [0, 0, .. Pattern(0x22, 6)]), ("absolute deadline", [0, 0, .. Pattern(0x33, 6)]),
            ("payload length", [0, 0, 6, 0x66]), ("notes length", [0, 0, 0, 0x77]), ("commit ids", Pattern(0x44, 64)),
            ("notes and payload", [.. Pattern(0x66, 0x0077), .. Pattern(0x55, 0x0666)]),
        };
        var rows = HeaderRow().Matches(Document);
        Assert.Equal(expected.Select(row => row.Field), rows.Select(row => row.Groups["field"].Value));
        var next = 0;
        foreach (var (row, (_, content)) in rows.Zip(expected))
        {
            var offset = Number(row, "offset");
            var length = row.Groups["bytes"].Value.Length == 0 ? bytes.Length - offset : Number(row, "bytes");
            Assert.Equal(next, offset);
            Assert.Equal(content, bytes.AsSpan(offset, length).ToArray());
            next = offset + length;
        }

        Assert.Equal(RecordFormat.HeaderLength, Number(rows[^1], "offset"));
        Assert.Equal(RecordFormat.VersionOffset, Number(rows[6], "offset"));
        Assert.Equal(RecordFormat.VersionLength, Number(rows[6], "bytes"));
        Assert.Contains($"a header of {RecordFormat.HeaderLength} bytes", Document, StringComparison.Ordinal);
    }

    [Fact]
    public void The_examples_of_idle_timeouts_are_what_the_code_writes()
    {
        foreach (var (text, idle) in new[] { ("`03 84` is 15 minutes", TimeSpan.FromMinutes(15)), ("`41 e0` is 8 hours", TimeSpan.FromHours(8)), ("`81 50` is 14 days", TimeSpan.FromDays(14)) })
        {
            Assert.Contains(text, Document, StringComparison.Ordinal);
            var bytes = RecordFormat.Write(new SessionRecord { Version = new SessionVersion(1), CreatedAt = default, AbsoluteDeadline = default, IdleTimeout = idle });
            Assert.Equal(text[1..6], string.Create(CultureInfo.InvariantCulture, $"{bytes[6]:x2} {bytes[7]:x2}"));
        }
    }

    [Fact]
    public void The_states_and_payload_formats_are_those_of_the_code()
    {
        var named = NamedRow().Matches(Document).Select(row => (Number(row, "number"), row.Groups["name"].Value));
        var code = Enum.GetValues<SessionState>().Select(state => ((int)state, state.ToString()))
            .Concat(Enum.GetValues<PayloadFormat>().Select(format => ((int)format, format.ToString())));
        Assert.Equal(code, named);
    }

    [Fact]
    public void The_first_bytes_of_each_kind_are_those_that_the_reader_takes()
    {
        var documented = KindRow().Matches(Document).SelectMany(row => FirstBytes().Matches(row.Groups["bytes"].Value)
            .SelectMany(bytes => Bytes(bytes).Select(code => (Code: code, Kind: row.Groups["kind"].Value)))).ToDictionary(pair => pair.Code, pair => pair.Kind);
        for (var code = 0; code < 256; code++)
            Assert.Equal(KindOf((byte)code), documented.GetValueOrDefault((byte)code));
        // What only PHP can read is never in a record of ours.
        Assert.Equal(Enum.GetNames<SessionValueKind>().Where(kind => kind != nameof(SessionValueKind.Foreign)), KindRow().Matches(Document).Select(row => row.Groups["kind"].Value));
    }

    [Fact]
    public void The_limits_are_those_of_the_code()
    {
        Assert.Contains($"nest at most {Packed.MaxDepth} levels", Document, StringComparison.Ordinal);
        Assert.Contains($"more than {SessionRecord.MaxCommitIds} commit ids", Document, StringComparison.Ordinal);
        Assert.Contains($"`{FlashBag.ReservedKey}` is reserved", Document, StringComparison.Ordinal);
        Assert.Contains($"{PayloadIndex.SmallestMap:N0} bytes", Document, StringComparison.Ordinal);
        Assert.Contains($"{PayloadIndex.SmallestEntry} bytes on average", Document, StringComparison.Ordinal);
        Assert.Contains($"{PayloadIndex.SmallestAlone} bytes on", Document, StringComparison.Ordinal);
        Assert.Contains($"others are {PayloadIndex.InGroup} to a group", Document, StringComparison.Ordinal);
        Assert.Contains($"`123456789` has `{KeyHash.Of("123456789"u8):x4}`", Document, StringComparison.Ordinal);
        Assert.Contains($"{SessionId.Length} ASCII characters", Document, StringComparison.Ordinal);
        var forward = RecordFormat.Read(File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "RedisSessions.Tests", "Vectors", "v2-forward.bin")));
        Assert.Equal(SessionId.Length, forward.Payload.Length);
        Assert.All(Encoding.Latin1.GetString(forward.Payload.Span), c => Assert.True(char.IsAscii(c)));
    }

    private static string? KindOf(byte code)
    {
        // Enough bytes after it for any header; the extension type of a timestamp, and a length that it may have.
        byte[] bytes = code switch
        {
            0xc7 => [code, 12, 0xff, .. new byte[12]],
            0xd6 or 0xd7 => [code, 0xff, .. new byte[8]],
            0xc8 => [code, 0, 1, 3, (byte)'1'],
            0xd8 => [code, 4, .. new byte[16]],
            _ => [code, .. new byte[16]],
        };
        try
        {
            return Packed.ReadHeader(bytes).Kind.ToString();
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static IEnumerable<byte> Bytes(Match match)
    {
        var first = byte.Parse(match.Groups["first"].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var last = match.Groups["last"] is { Success: true, Value: var text } ? byte.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture) : first;
        return Enumerable.Range(first, last - first + 1).Select(code => (byte)code);
    }

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static byte[] Pattern(byte value, int count) => [.. Enumerable.Repeat(value, count)];

    [GeneratedRegex(@"^\| (?<offset>\d+) \| (?<bytes>\d*) ?\| (?<field>[a-z ]+) \|", RegexOptions.Multiline)]
    private static partial Regex HeaderRow();

    [GeneratedRegex(@"^\| (?<number>\d+) \| (?<name>[A-Z][A-Za-z]+) \|", RegexOptions.Multiline)]
    private static partial Regex NamedRow();

    [GeneratedRegex(@"^\| (?<kind>[A-Z][a-z]+) \| (?<bytes>`[^|]+) \|", RegexOptions.Multiline)]
    private static partial Regex KindRow();

    [GeneratedRegex(@"`(?<first>[0-9a-f]{2})`(-`(?<last>[0-9a-f]{2})`)?")]
    private static partial Regex FirstBytes();
}
