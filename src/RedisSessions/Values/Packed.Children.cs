using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace RedisSessions.Values;

// What is inside a map or a list, by the segments of a path.
internal static partial class Packed
{
    /// <summary>The child of a map by key, or of a list by number.</summary>
    /// <param name="container">Any value; only maps and lists have children.</param>
    /// <param name="places">What <see cref="ValidateMap"/> has said about it, if it has.</param>
    /// <param name="segment">The key or the number.</param>
    /// <param name="child">The bytes of the child.</param>
    public static bool TryGetChild(ReadOnlyMemory<byte> container, Places places, ReadOnlySpan<char> segment, out ReadOnlyMemory<byte> child)
    {
        var bytes = container.Span;
        var kind = KindOf(bytes[0]);
        if (kind == SessionValueKind.Map && TryFind(bytes, places, segment, 0, out var entry))
        {
            child = container[entry.Value..entry.End];
            return true;
        }

        child = default;
        return kind == SessionValueKind.List && TryGetByIndex(container, ReadHeader(bytes), segment, out child);
    }

    /// <summary>An entry of a map: the how many-th it is, from 0, where its key begins, where its value begins, and where that ends.</summary>
    public readonly record struct Entry(int Number, int Start, int Value, int End);

    /// <summary>The first entry of a map with a key, of those from the number <paramref name="from"/> on.</summary>
    public static bool TryFind(ReadOnlySpan<byte> map, Places places, ReadOnlySpan<char> segment, int from, out Entry entry) => Ascii.IsValid(segment)
        ? TryFind(map, places, segment, utf8: default, from, out entry)
        : TryFindUtf8(map, places, segment, from, out entry);

    private static bool TryFindUtf8(ReadOnlySpan<byte> map, Places places, ReadOnlySpan<char> segment, int from, out Entry entry)
    {
        Span<byte> buffer = stackalloc byte[256];
        var utf8 = segment.Length * 3 <= buffer.Length ? buffer : new byte[Encoding.UTF8.GetByteCount(segment)];
        return TryFind(map, places, segment, utf8[..Encoding.UTF8.GetBytes(segment, utf8)], from, out entry);
    }

    /// <param name="map">One map.</param>
    /// <param name="places">Where its entries are, if that is known.</param>
    /// <param name="segment">The key, if it is ASCII.</param>
    /// <param name="utf8">The key, if it is not.</param>
    /// <param name="from">Where to begin.</param>
    /// <param name="entry">What was found.</param>
    private static bool TryFind(
        ReadOnlySpan<byte> map, Places places, ReadOnlySpan<char> segment, ReadOnlySpan<byte> utf8, int from, out Entry entry)
    {
        if (places.AreKnown)
            return TryFindAt(map, places, segment, utf8, from, out entry);
        var (count, at) = MapHeader(map);
        for (var i = 0; i < count; i++)
        {
            var isWanted = IsKey(map[at..], segment, utf8, out var length);
            entry = new Entry(i, at, at + length, at + length + Skip(map[(at + length)..]));
            if (isWanted && i >= from)
                return true;
            at = entry.End;
        }

        entry = default;
        return false;
    }

    private static bool TryFindAt(
        ReadOnlySpan<byte> map, Places places, ReadOnlySpan<char> segment, ReadOnlySpan<byte> utf8, int from, out Entry entry)
    {
        var wanted = utf8.IsEmpty ? PrintOf(segment) : PrintOf(utf8);
        for (var i = places.Find(wanted, from); i >= 0; i = places.Find(wanted, i + 1))
        {
            var start = places.Start(i);
            if (IsKey(map[start..], segment, utf8, out var length))
            {
                entry = new Entry(i, start, start + length, places.End(i));
                return true;
            }
        }

        entry = default;
        return false;
    }

    /// <summary>Whether what begins there is a key that reads as a text.</summary>
    /// <param name="key">The key and what follows it.</param>
    /// <param name="utf8">The text.</param>
    /// <param name="length">The length of the key in bytes.</param>
    public static bool IsKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> utf8, out int length) => IsKey(key, default, utf8, out length);

    private static bool IsKey(ReadOnlySpan<byte> key, ReadOnlySpan<char> segment, ReadOnlySpan<byte> utf8, out int length)
    {
        if (key[0] is not (>= 0xa0 and <= 0xbf))
            return IsOtherKey(key, segment, utf8, out length);
        // Most keys are another one, and most of those are not as long.
        length = 1 + (key[0] & 0x1f);
        return length - 1 == (utf8.IsEmpty ? segment.Length : utf8.Length) && IsText(key[1..length], segment, utf8);
    }

    /// <summary>The length of a text and its end: keys that are numbered begin alike.</summary>
    private static int PrintOf(ReadOnlySpan<byte> text) => text.Length switch
    {
        0 => 0,
        1 => PrintOf(1, 0, 0, text[0]),
        2 => PrintOf(2, 0, text[0], text[1]),
        _ => PrintOf(text.Length, text[^3], text[^2], text[^1]),
    };

    private static int PrintOf(ReadOnlySpan<char> ascii) => ascii.Length switch
    {
        0 => 0,
        1 => PrintOf(1, 0, 0, ascii[0]),
        2 => PrintOf(2, 0, ascii[0], ascii[1]),
        _ => PrintOf(ascii.Length, ascii[^3], ascii[^2], ascii[^1]),
    };

    private static int PrintOf(int length, int last3, int last2, int last) => (length << 24) | (last3 << 16) | (last2 << 8) | last;

    /// <param name="key">The whole key and nothing else.</param>
    private static int PrintOfKey(ReadOnlySpan<byte> key) => key[0] is >= 0xa3 and <= 0xbf
        // The three bytes at the end of a short text, and one more before them.
        ? ((key.Length - 1) << 24) | (BinaryPrimitives.ReadInt32BigEndian(key[^sizeof(int)..]) & 0xffffff)
        : PrintOfOtherKey(key);

    private static int PrintOfOtherKey(ReadOnlySpan<byte> key)
    {
        var header = ReadHeader(key);
        return header.Kind switch
        {
            SessionValueKind.String => PrintOf(key.Slice(header.Start, header.Length)),
            SessionValueKind.Integer => PrintOf(IntegerText(key, stackalloc byte[20])),
            // No path leads there.
            _ => Places.NoPrint,
        };
    }

    /// <summary>What stands for a key in a <see cref="PayloadIndex"/>; 0 when no path leads to it.</summary>
    /// <param name="key">The whole key and nothing else.</param>
    public static ushort HashOfKey(ReadOnlySpan<byte> key) => key[0] is >= 0xa0 and <= 0xbf ? KeyHash.Of(key[1..]) : HashOfOtherKey(key);

    private static ushort HashOfOtherKey(ReadOnlySpan<byte> key)
    {
        var header = ReadHeader(key);
        return header.Kind switch
        {
            SessionValueKind.String => KeyHash.Of(key.Slice(header.Start, header.Length)),
            SessionValueKind.Integer => KeyHash.Of(IntegerText(key, stackalloc byte[20])),
            _ => 0,
        };
    }

    private static bool IsText(ReadOnlySpan<byte> text, ReadOnlySpan<char> segment, ReadOnlySpan<byte> utf8) =>
        utf8.IsEmpty ? Ascii.Equals(text, segment) : text.SequenceEqual(utf8);

    /// <summary>Whether a key that is no short text reads as a segment.</summary>
    private static bool IsOtherKey(ReadOnlySpan<byte> key, ReadOnlySpan<char> segment, ReadOnlySpan<byte> utf8, out int length)
    {
        var header = ReadHeader(key);
        length = header.Children == 0 ? header.Start + header.Length : Skip(key);
        return header.Kind switch
        {
            SessionValueKind.String => IsText(key.Slice(header.Start, header.Length), segment, utf8),
            SessionValueKind.Integer => IsText(IntegerText(key, stackalloc byte[20]), segment, utf8),
            _ => false,
        };
    }

    // How many entries, and where they begin; most maps say it in their first byte.
    private static (int Count, int Start) MapHeader(ReadOnlySpan<byte> map)
    {
        if (map[0] is >= 0x80 and <= 0x8f)
            return (map[0] & 0x0f, 1);
        var header = ReadHeader(map);
        return header.Kind == SessionValueKind.Map ? ((int)(header.Children / 2), header.Start) : default;
    }

    /// <summary>The content of an extension; what a session holds is in one piece.</summary>
    public static ReadOnlySpan<byte> Content(MessagePack.ExtensionResult extension) =>
        extension.Data.IsSingleSegment ? extension.Data.FirstSpan : System.Buffers.BuffersExtensions.ToArray(extension.Data);

    /// <summary>Whether a path segment is the number of a list element: 0, or digits without a leading zero.</summary>
    public static bool TryParseIndex(ReadOnlySpan<char> segment, out int index)
    {
        index = 0;
        if (segment.IsEmpty || segment.Length > 9 || (segment.Length > 1 && segment[0] == '0'))
            return false;
        foreach (var c in segment)
        {
            if (!char.IsAsciiDigit(c))
                return false;
            index = index * 10 + (c - '0');
        }

        return true;
    }

    /// <summary>A map's key as a path segment. Integer keys read as digits; a key of another kind cannot be addressed.</summary>
    public static string KeyText(ReadOnlySpan<byte> key)
    {
        var header = ReadHeader(key);
        return header.Kind switch
        {
            SessionValueKind.String => Encoding.UTF8.GetString(key.Slice(header.Start, header.Length)),
            SessionValueKind.Integer => Encoding.ASCII.GetString(IntegerText(key, stackalloc byte[20])),
            _ => "\0" + Convert.ToHexString(key),
        };
    }

    private static bool TryGetByIndex(ReadOnlyMemory<byte> list, Header header, ReadOnlySpan<char> segment, out ReadOnlyMemory<byte> child)
    {
        child = default;
        if (!TryParseIndex(segment, out var index) || index >= header.Children)
            return false;
        var at = header.Start;
        for (; index > 0; index--)
            at += Skip(list.Span[at..]);
        child = list.Slice(at, Skip(list.Span[at..]));
        return true;
    }

    private static ReadOnlySpan<byte> IntegerText(ReadOnlySpan<byte> bytes, Span<byte> buffer)
    {
        int written;
        _ = bytes[0] switch
        {
            <= 0x7f => Utf8Formatter.TryFormat(bytes[0], buffer, out written),
            >= 0xe0 => Utf8Formatter.TryFormat((sbyte)bytes[0], buffer, out written),
            0xcc => Utf8Formatter.TryFormat(bytes[1], buffer, out written),
            0xcd => Utf8Formatter.TryFormat(BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]), buffer, out written),
            0xce => Utf8Formatter.TryFormat(BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]), buffer, out written),
            0xcf => Utf8Formatter.TryFormat(BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]), buffer, out written),
            0xd0 => Utf8Formatter.TryFormat((sbyte)bytes[1], buffer, out written),
            0xd1 => Utf8Formatter.TryFormat(BinaryPrimitives.ReadInt16BigEndian(bytes[1..]), buffer, out written),
            0xd2 => Utf8Formatter.TryFormat(BinaryPrimitives.ReadInt32BigEndian(bytes[1..]), buffer, out written),
            _ => Utf8Formatter.TryFormat(BinaryPrimitives.ReadInt64BigEndian(bytes[1..]), buffer, out written),
        };
        return buffer[..written];
    }
}
