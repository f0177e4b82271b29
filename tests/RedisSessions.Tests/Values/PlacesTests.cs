using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using CsCheck;
using RedisSessions.Values;

namespace RedisSessions.Tests.Values;

/// <summary>Prints are a short cut: with them a key is found exactly where a walk through the bytes finds it.</summary>
public sealed class PlacesTests
{
    // Many of one print, of every length around those that a print can hold.
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String[Gen.Char["ab1é€"], 0, 5], Gen.Int[0, 300].Select(number => $"key-{number:D3}"), Gen.String[Gen.Char["xy"], 28, 34], Gen.String[Gen.Char["z"], 120, 260]);

    private static readonly Gen<byte[]> Keys = Gen.OneOf(
        Texts.Select(Text), Texts.Select(text => Sized(0xd9, 1, text)), Texts.Select(text => Sized(0xdb, 4, text)), Gen.Int[-40, 300].Select(Integer), Gen.Const(new byte[] { 0xc0 }));

    [Fact]
    public void A_key_is_found_where_a_walk_finds_it() => Gen.Select(Keys.Array[0, 40], Texts.Array[4], Gen.Int[-2, 300]).Sample((keys, wanted, number) =>
    {
        byte[] map = [0xde, 0, (byte)keys.Length, .. keys.SelectMany((key, i) => (byte[])[.. key, (byte)i])];
        var places = Packed.ValidateMap(map);
        Assert.Equal((keys.Length, map.Length), (places.Count, keys.Length == 0 ? map.Length : places.End(keys.Length - 1)));
        var there = keys.Where(static key => key[0] != 0xc0).Select(static key => Packed.KeyText(key));
        foreach (var segment in there.Concat(wanted).Append(number.ToString(CultureInfo.InvariantCulture)))
        {
            for (var (from, more) = (0, true); more;)
            {
                more = Packed.TryFind(map, default, segment, from, out var walked);
                Assert.Equal(more, Packed.TryFind(map, places, segment, from, out var found));
                Assert.Equal(walked, found);
                from = walked.Number + 1;
            }
        }
    });

    private static byte[] Text(string text) =>
        Encoding.UTF8.GetByteCount(text) is var length && length < 32 ? [(byte)(0xa0 | length), .. Encoding.UTF8.GetBytes(text)] : Sized(0xda, 2, text);

    private static byte[] Sized(byte code, int size, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, utf8.Length);
        // What a byte cannot say is said in two.
        return size == 1 && utf8.Length > byte.MaxValue ? Sized(0xda, 2, text) : [code, .. length[^size..], .. utf8];
    }

    private static byte[] Integer(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return number is >= -32 and < 128 && number % 2 == 0 ? [(byte)number] : [0xd2, .. bytes];
    }
}
