using RedisSessions.Values;

namespace RedisSessions.Tests.Values;

/// <summary>What of MessagePack a payload may hold, byte by byte.</summary>
public sealed class PackedTests
{
    [Theory]
    [InlineData("c0", "Null")]
    [InlineData("c2", "Boolean")]
    [InlineData("c3", "Boolean")]
    [InlineData("00", "Integer")]
    [InlineData("7f", "Integer")]
    [InlineData("e0", "Integer")]
    [InlineData("ff", "Integer")]
    [InlineData("ccff", "Integer")]
    [InlineData("cdffff", "Integer")]
    [InlineData("ceffffffff", "Integer")]
    [InlineData("cfffffffffffffffff", "Integer")]
    [InlineData("d080", "Integer")]
    [InlineData("d18000", "Integer")]
    [InlineData("d280000000", "Integer")]
    [InlineData("d38000000000000000", "Integer")]
    [InlineData("ca3f800000", "Double")]
    [InlineData("cb3ff0000000000000", "Double")]
    [InlineData("a0", "String")]
    [InlineData("a161", "String")]
    [InlineData("d90161", "String")]
    [InlineData("da000161", "String")]
    [InlineData("db0000000161", "String")]
    [InlineData("c40101", "Bytes")]
    [InlineData("c5000101", "Bytes")]
    [InlineData("c60000000101", "Bytes")]
    [InlineData("d6ff00000000", "Timestamp")]
    [InlineData("d7ff0000000000000000", "Timestamp")]
    [InlineData("d7ffee6b27fc00000000", "Timestamp")]
    [InlineData("c70cff000000000000000000000000", "Timestamp")]
    [InlineData("c70cff3b9ac9ff0000003afff4417f", "Timestamp")]
    [InlineData("90", "List")]
    [InlineData("9101", "List")]
    [InlineData("dc000101", "List")]
    [InlineData("dd0000000101", "List")]
    [InlineData("80", "Map")]
    [InlineData("81a16101", "Map")]
    [InlineData("de0001a16101", "Map")]
    [InlineData("df00000001a16101", "Map")]
    public void Every_kind_in_each_of_its_forms_is_read_and_refused_when_cut_off_or_followed_by_anything(string hex, string kind)
    {
        var bytes = Convert.FromHexString(hex);
        Packed.Validate(bytes);
        Assert.Equal(kind, Packed.ReadHeader(bytes).Kind.ToString());
        Assert.Equal(kind, Packed.KindOf(bytes[0]).ToString());
        _ = new SessionValue(bytes).ToObject();
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<FormatException>(() => Packed.Validate(bytes.AsSpan(0, length)));
        Assert.Throws<FormatException>(() => Packed.Validate([.. bytes, 0xc0]));
    }

    [Theory]
    [InlineData("c1", "unknown type 0xc1")]
    [InlineData("c80001ff00", "extension type -1")]
    [InlineData("c800000300", "extension type 3")]
    [InlineData("c8002003" + "3131313131313131313131313131313131313131313131313131313131313131", "extension type 3")]
    [InlineData("c8000103" + "2d", "decimal that is none")]
    [InlineData("c8000203" + "3031", "decimal that is none")]
    [InlineData("c8000203" + "2b31", "decimal that is none")]
    [InlineData("c8000203" + "312e", "decimal that is none")]
    [InlineData("c8000303" + "316530", "decimal that is none")]
    [InlineData("c900000001ff00", "unknown type 0xc9")]
    [InlineData("d4ff00", "unknown type 0xd4")]
    [InlineData("d5ff0000", "unknown type 0xd5")]
    [InlineData("d8ff00000000000000000000000000000000", "extension type -1")]
    [InlineData("d804ffffffffffffffff0000000000000000", "date that is none")]
    [InlineData("d8042bca2875f4374000" + "0000000000000000", "date that is none")]
    [InlineData("d80400000000000000000001000000000000", "date that is none")]
    [InlineData("d80400000000000000000000030000000000", "date that is none")]
    [InlineData("d80400000000000000000000040000000000", "date that is none")]
    [InlineData("d80400000000000000000001030000000000", "date that is none")]
    [InlineData("d80408d000000000000003480300000000" + "01", "date that is none")]
    [InlineData("d80408d0000000000000034903" + "0000000000", "date that is none")]
    [InlineData("d60000000000", "extension type 0")]
    [InlineData("d6630000000000", "extension type 99")]
    [InlineData("c705ff0000000000", "extension type -1")]
    [InlineData("d7ffee6b280000000000", "timestamp that is out of range")]
    [InlineData("c70cff3b9aca000000000000000000", "timestamp that is out of range")]
    [InlineData("c70cff000000000000003afff44180", "timestamp that is out of range")]
    [InlineData("c70cff00000000fffffff1886e08ff", "timestamp that is out of range")]
    [InlineData("dbffffffff", "cut off")]
    [InlineData("c6ffffffff00", "cut off")]
    [InlineData("ddffffffff00", "cut off")]
    [InlineData("dfffffffff00", "cut off")]
    public void What_a_session_does_not_hold_is_refused_with_the_reason(string hex, string reason)
    {
        var error = Assert.Throws<FormatException>(() => Packed.Validate(Convert.FromHexString(hex)));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sixty_four_levels_are_read_and_one_more_is_refused()
    {
        var deepest = Enumerable.Repeat((byte)0x91, 64).Append((byte)0x01).ToArray();
        Packed.Validate(deepest);
        Assert.Equal(64, Packed.Depth(deepest));
        _ = new SessionValue(deepest).ToObject();
        Assert.Throws<FormatException>(() => Packed.Validate([0x91, .. deepest]));
        Assert.Throws<FormatException>(() => Packed.Validate(Enumerable.Repeat((byte)0x91, 1_000_000).ToArray()));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("10", 10)]
    [InlineData("999999999", 999_999_999)]
    [InlineData("", null)]
    [InlineData("00", null)]
    [InlineData("01", null)]
    [InlineData("-1", null)]
    [InlineData("1.0", null)]
    [InlineData("1000000000", null)]
    [InlineData("٣", null)]
    public void The_number_of_an_element_is_digits_without_a_leading_zero(string segment, int? index)
    {
        Assert.Equal(index is not null, Packed.TryParseIndex(segment, out var parsed));
        Assert.True(index is null || index == parsed);
    }

    [Fact]
    public void Long_and_many_keys_are_found_by_their_utf8_bytes()
    {
        var map = Enumerable.Range(0, 300).ToDictionary(i => new string('ä', i) + "€😀" + i, i => i);
        var tree = Given.Tree(("m", map));
        foreach (var (key, value) in map)
        {
            Assert.True(tree.TryGet(SessionPath.Parse("m." + key), out var found));
            Assert.Equal((long)value, found.ToObject());
        }
    }
}
