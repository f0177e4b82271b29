using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace RedisSessions.AspNetCore.Tests.Import;

/// <summary>The framework's record, as the framework writes it, and anything else.</summary>
public sealed class AspNetCoreSessionRecordTests
{
    private const int Mutations = 100_000;

    [Fact]
    public async Task What_the_framework_writes_is_read()
    {
        var random = new Random(20261123);
        for (var round = 0; round < 200; round++)
        {
            var values = Values(random, round % 40);
            var read = AspNetCoreSessionRecord.Read(await RecordAsync(values));
            Assert.Equal(values.OrderBy(static pair => pair.Key, StringComparer.Ordinal), read.OrderBy(static pair => pair.Key, StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task A_hundred_thousand_damaged_records_are_read_or_refused_and_cost_no_more_than_they_are_worth()
    {
        var random = new Random(20261123);
        List<byte[]> corpus = [[], [2], new byte[20], [2, .. Enumerable.Repeat((byte)0xff, 60)]];
        for (var i = 0; i < 30; i++)
            corpus.Add(await RecordAsync(Values(random, i)));
        var (refused, started, before) = (0, Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
        var bytes = 0L;
        for (var i = 0; i < Mutations; i++)
        {
            var input = Mutate(corpus[random.Next(corpus.Count)], random);
            bytes += input.Length;
            try
            {
                AspNetCoreSessionRecord.Read(input);
            }
            catch (FormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, Mutations / 4, Mutations - 1000);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 60 * bytes + Mutations * 4096L, "more memory than the input is worth");
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), "more time than the input is worth");
    }

    [Theory]
    [InlineData("", "no session record")]
    [InlineData("0100000000000000000000000000000000000000", "no session record")]
    [InlineData("0200000100000000000000000000000000000000", "truncated")]
    [InlineData("020000010000000000000000000000000000000000016100000002ff", "truncated")]
    [InlineData("0200000100000000000000000000000000000000000161ffffffffff", "truncated")]
    [InlineData("02000001000000000000000000000000000000000002", "truncated")]
    public void What_is_none_is_refused_with_a_reason(string hex, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => AspNetCoreSessionRecord.Read(Convert.FromHexString(hex))).Message, StringComparison.Ordinal);

    private static Dictionary<string, byte[]> Values(Random random, int count)
    {
        Dictionary<string, byte[]> values = new(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            var value = new byte[random.Next(4) == 0 ? random.Next(5000) : random.Next(20)];
            random.NextBytes(value);
            values[string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => new Rune(random.Next(0x20, 0xd7ff))))] = value;
        }

        return values;
    }

    private static async Task<byte[]> RecordAsync(Dictionary<string, byte[]> values)
    {
        var cache = new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions()));
        var session = new DistributedSession(cache, "key", TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), static () => true, NullLoggerFactory.Instance, isNewSessionKey: true);
        foreach (var (key, value) in values)
            session.Set(key, value);
        session.Set("one", [1]);
        values["one"] = [1];
        await session.CommitAsync(TestContext.Current.CancellationToken);
        return (await cache.GetAsync("key", TestContext.Current.CancellationToken))!;
    }

    private static byte[] Mutate(byte[] input, Random random)
    {
        var bytes = input.ToList();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(5))
            {
                case 0 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    bytes.RemoveRange(at, Math.Min(random.Next(8), bytes.Count - at));
                    break;
            }
        }

        return [.. bytes];
    }
}
