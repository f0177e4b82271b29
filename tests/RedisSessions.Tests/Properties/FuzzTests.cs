using System.Text;
using System.Text.RegularExpressions;
using RedisSessions.Tests.Support;
using RedisSessions.Tests.Values;
using RedisSessions.Values;

namespace RedisSessions.Tests.Properties;

/// <summary>Ten thousand mutations of a corpus for each parser: only the errors it documents, and never more time or memory than the input is worth.</summary>
public sealed partial class FuzzTests
{
    private const int Mutations = 10_000;

    public static TheoryData<string> Parsers => [.. FuzzTargets.All.Keys];

    [Theory]
    [MemberData(nameof(Parsers))]
    public void A_parser_lives_with_any_bytes(string parser)
    {
        var target = FuzzTargets.All[parser];
        var random = new Random(20260708);
        var corpus = Corpus();
        // The first time also pays for what is made once and kept.
        foreach (var input in corpus)
            Run(target, input, bounded: false);
        foreach (var input in corpus)
            Run(target, input);
        for (var i = 0; i < Mutations; i++)
        {
            var input = Mutate(corpus[random.Next(corpus.Count)], corpus, random);
            Run(target, input);
        }
    }

    [Fact]
    public void Every_parser_has_a_target()
    {
        var parsers = Repository.Files("src/RedisSessions", "*.cs").SelectMany(file => Parser().Matches(file.Text)
            .Select(match => $"{Path.GetFileNameWithoutExtension(file.Path)}.{match.Groups["name"].Value}")).Distinct();
        Assert.Equal(FuzzTargets.All.Keys.Order(), parsers.Order());
    }

    private static void Run(FuzzTargets.Target target, byte[] input, bool bounded = true)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            target(input);
        }
        catch (Exception e)
        {
            Assert.Fail($"{e.GetType().Name}: {e.Message}{Environment.NewLine}Input: {Convert.ToHexString(input)}{Environment.NewLine}{e.StackTrace}");
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (bounded && allocated > 100_000 + 400L * input.Length)
            Assert.Fail($"{allocated} bytes allocated for {input.Length} bytes of input: {Convert.ToHexString(input)}");
    }

    private static List<byte[]> Corpus()
    {
        List<byte[]> corpus = [.. Directory.GetFiles(Path.Combine(Repository.Root, "tests", "RedisSessions.Tests", "Vectors"), "*.bin").Order().Select(File.ReadAllBytes)];
        corpus.AddRange(corpus.Where(record => record.Length > RecordFormat.HeaderLength).Select(record => record[RecordFormat.HeaderLength..]).ToList());
        foreach (var text in new[] { "", ".", "a", "a.b.0.c", "account.current_user_id", "ä.€.😀", new string('.', 62), new string('x', 300), "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA" })
            corpus.Add(Encoding.UTF8.GetBytes(text));
        // Small ones with an index: behind the vector's most mutations are of its one long text.
        foreach (var map in corpus.Where(payload => payload is [>= 0x81 and <= 0x8f, ..]).ToList())
        {
            corpus.Add(Given.Indexed(1, map));
            corpus.Add(Given.Indexed(16, map));
        }

        corpus.Add([0xdf, 0xff, 0xff, 0xff, 0xff]);
        corpus.Add([0xdd, 0x7f, 0xff, 0xff, 0xff, 0x00]);
        corpus.Add([.. Enumerable.Repeat((byte)0x91, 5_000)]);
        corpus.Add([.. Enumerable.Repeat((byte)0x81, 5_000)]);
        return corpus;
    }

    private static byte[] Mutate(byte[] input, List<byte[]> corpus, Random random)
    {
        var bytes = input.ToList();
        for (var times = random.Next(1, 6); times > 0; times--)
        {
            var at = bytes.Count == 0 ? 0 : random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0 when bytes.Count > 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1 when bytes.Count > 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, random.Next(bytes.Count - at + 1));
                    break;
                case 3:
                    bytes.Insert(at, (byte)random.Next(0x80, 0x100));
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, random.Next(Math.Min(64, bytes.Count - at + 1))));
                    break;
                default:
                    var other = corpus[random.Next(corpus.Count)];
                    bytes.AddRange(other.Take(random.Next(64)));
                    break;
            }
        }

        return [.. bytes];
    }

    // A parser is a static method of this library that takes bytes or text and gives one of its own types, or says that it is none.
    [GeneratedRegex(@"(public|internal) static (?:Session\w+|bool) (?<name>Read|Parse|TryParse|FromBytes)\((?:\[NotNullWhen\(true\)\] )?(?:ReadOnlyMemory<byte>|ReadOnlySpan<byte>|string\??) ")]
    private static partial Regex Parser();
}
