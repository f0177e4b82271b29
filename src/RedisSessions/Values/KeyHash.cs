using System.Buffers.Binary;
using System.Numerics;

namespace RedisSessions.Values;

/// <summary>What stands for a key in a <see cref="PayloadIndex"/>: the lower half of the CRC-32C of its text. Processors have it as an instruction, and other languages in a library.</summary>
internal static class KeyHash
{
    /// <summary>Its bytes.</summary>
    public const int Size = sizeof(ushort);

    /// <param name="text">A key in UTF-8.</param>
    public static ushort Of(ReadOnlySpan<byte> text)
    {
        var (crc, at) = (uint.MaxValue, 0);
        for (; text.Length - at >= sizeof(ulong); at += sizeof(ulong))
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(text[at..]));
        if (text.Length - at >= sizeof(uint))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt32LittleEndian(text[at..]));
            at += sizeof(uint);
        }

        for (; at < text.Length; at++)
            crc = BitOperations.Crc32C(crc, text[at]);
        return (ushort)~crc;
    }
}
