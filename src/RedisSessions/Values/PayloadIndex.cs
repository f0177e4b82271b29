using System.Buffers.Binary;

namespace RedisSessions.Values;

/// <summary>
/// What stands before the map of a large payload: how long each of its entries is. With it nobody walks through thousands of values to find one of them, neither
/// who reads nor who writes. It comes from the store and is believed no more than the rest: what it says must add up to the map, exactly, and begin with a key
/// everywhere; what is in an entry is checked when it is touched (<see cref="UncheckedEntries"/>).
/// </summary>
internal static class PayloadIndex
{
    /// <summary>The shortest map that is given an index, in bytes: to walk through less takes no time to speak of.</summary>
    public const int SmallestMap = 8 * 1024;

    /// <summary>How long the entries of a map that is given an index are on average, at least, in bytes: an index of smaller ones is much to store and saves little.</summary>
    public const int SmallestEntry = 128;

    /// <summary>The bytes of a length.</summary>
    public const int LengthSize = sizeof(uint);

    // An extension of MessagePack's, with its length in four bytes and a type that is left to applications: no value of a session begins so.
    private const byte Code = 0xc9, Type = 1;

    private const int HeaderLength = 6;

    /// <summary>The bytes of the index of a map; 0 when it is given none.</summary>
    public static int SizeOf(int map, int entries) =>
        map < SmallestMap || map / SmallestEntry < entries ? 0 : HeaderLength + LengthSize * entries;

    /// <summary>Whether a payload begins with an index.</summary>
    public static bool Begins(ReadOnlySpan<byte> payload) => payload is [Code, ..];

    /// <summary>Reads an index and checks that it is that of the map behind it.</summary>
    /// <param name="payload">Begins with an index.</param>
    /// <param name="map">Where the map begins.</param>
    /// <returns>Where each entry of the map begins, and where the last one ends.</returns>
    /// <exception cref="FormatException">It is not.</exception>
    public static Places Read(ReadOnlySpan<byte> payload, out int map)
    {
        if (payload.Length < HeaderLength || payload[HeaderLength - 1] != Type)
            throw new FormatException("the payload is damaged: it begins with something that is no index");
        var length = BinaryPrimitives.ReadUInt32BigEndian(payload[1..]);
        if (length > payload.Length - HeaderLength)
            throw new FormatException("the payload is damaged: its index is cut off");
        map = HeaderLength + (int)length;
        return Packed.PlacesBy(payload[HeaderLength..map], payload[map..]);
    }

    /// <summary>Writes what stands before the lengths.</summary>
    public static void WriteHeader(int entries, ref PackedWriter writer)
    {
        writer.WriteRaw([Code]);
        writer.WriteLength(LengthSize * entries);
        writer.WriteRaw([Type]);
    }
}
