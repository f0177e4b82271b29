using System.Buffers.Binary;
using System.Security.Cryptography;

namespace RedisSessions.Values;

/// <summary>
/// An entry of a PHP session that only PHP can read: its bytes, and which numbers PHP gave to the values in it. As MessagePack, an extension type of 32 bits of length. It is a value of a
/// tree in memory and never of a record of our own; a mark that this process has drawn keeps out what somebody has put into a store to look like one.
/// </summary>
internal static class PhpForeign
{
    /// <summary>The first byte.</summary>
    public const byte Code = 0xc9;

    /// <summary>Where what is behind the length and the type begins.</summary>
    public const int Start = 1 + sizeof(uint) + 1;

    private const byte Type = (byte)'P';
    private const int MarkLength = 16, Numbers = MarkLength + 2 * sizeof(int);

    private static readonly byte[] Mark = RandomNumberGenerator.GetBytes(MarkLength);

    /// <summary>Whether bytes that begin with <see cref="Code"/> are one of these.</summary>
    public static bool IsMarked(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= Start + Numbers && bytes[Start - 1] == Type && BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]) >= Numbers
        && bytes.Slice(Start, MarkLength).SequenceEqual(Mark);

    public static byte[] Pack(ReadOnlySpan<byte> php, int firstSlot, int slots)
    {
        var packed = new byte[Start + Numbers + php.Length];
        packed[0] = Code;
        BinaryPrimitives.WriteInt32BigEndian(packed.AsSpan(1), Numbers + php.Length);
        packed[Start - 1] = Type;
        Mark.CopyTo(packed, Start);
        BinaryPrimitives.WriteInt32BigEndian(packed.AsSpan(Start + MarkLength), firstSlot);
        BinaryPrimitives.WriteInt32BigEndian(packed.AsSpan(Start + MarkLength + sizeof(int)), slots);
        php.CopyTo(packed.AsSpan(Start + Numbers));
        return packed;
    }

    /// <summary>What <see cref="Pack"/> was given.</summary>
    public static ReadOnlySpan<byte> Unpack(ReadOnlySpan<byte> packed, out int firstSlot, out int slots)
    {
        firstSlot = BinaryPrimitives.ReadInt32BigEndian(packed[(Start + MarkLength)..]);
        slots = BinaryPrimitives.ReadInt32BigEndian(packed[(Start + MarkLength + sizeof(int))..]);
        return packed.Slice(Start + Numbers, BinaryPrimitives.ReadInt32BigEndian(packed[1..]) - Numbers);
    }
}
