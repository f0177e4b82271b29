namespace RedisSessions.Tests.Attacks;

/// <summary>An attacker wants to guess an id, or to tell from some what the next ones are: a million of them, looked at as a statistician would.</summary>
public sealed class GuessingTests
{
    private const int Count = 1_000_000;
    private static readonly Lazy<byte[][]> Ids = new(() => [.. Enumerable.Range(0, Count).Select(_ => Bits(SessionId.New()))]);

    [Fact]
    public void No_id_comes_twice_nor_does_any_64_bits_of_one()
    {
        // Among a million values of 64 bits a coincidence has a chance of 3 in 10^8.
        for (var part = 0; part < 4; part++)
            Assert.Equal(Count, Ids.Value.Select(id => BitConverter.ToUInt64(id, part * 8)).ToHashSet().Count);
    }

    [Fact]
    public void Each_of_the_256_bits_is_a_fair_coin()
    {
        for (var bit = 0; bit < 256; bit++)
        {
            var ones = Ids.Value.Count(id => (id[bit / 8] >> bit % 8 & 1) == 1);
            // Six standard deviations: one healthy run in a million fails, over all bits.
            Assert.InRange(ones, Count / 2 - 3000, Count / 2 + 3000);
        }
    }

    [Fact]
    public void Each_bit_is_independent_of_the_same_bit_of_the_id_before()
    {
        for (var bit = 0; bit < 256; bit++)
        {
            var same = 0;
            for (var i = 1; i < Count; i++)
                same += (Ids.Value[i][bit / 8] ^ Ids.Value[i - 1][bit / 8]) >> bit % 8 & 1;
            Assert.InRange(same, Count / 2 - 3000, Count / 2 + 3000);
        }
    }

    [Fact]
    public void All_values_of_a_byte_are_as_frequent_as_the_others()
    {
        for (var at = 0; at < 32; at++)
        {
            var counts = new int[256];
            foreach (var id in Ids.Value)
                counts[id[at]]++;
            const double Expected = Count / 256.0;
            var chiSquared = counts.Sum(count => (count - Expected) * (count - Expected) / Expected);
            // 255 degrees of freedom: beyond these a healthy byte is once in ten million.
            Assert.InRange(chiSquared, 150, 390);
        }
    }

    [Fact]
    public void Neighbours_differ_in_half_of_their_bits()
    {
        long different = 0;
        for (var i = 1; i < Count; i++)
        {
            for (var part = 0; part < 32; part += 8)
                different += long.PopCount((long)(BitConverter.ToUInt64(Ids.Value[i], part) ^ BitConverter.ToUInt64(Ids.Value[i - 1], part)));
        }

        Assert.InRange(different / (double)Count, 127.9, 128.1);
    }

    private static byte[] Bits(SessionId id) => System.Buffers.Text.Base64Url.DecodeFromChars(id.Value);
}
