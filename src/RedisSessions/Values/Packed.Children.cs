using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace RedisSessions.Values;

// What is inside a map or a list, by the segments of a path.
internal static partial class Packed
{
    /// <summary>The child of a map by key, or of a list by number.</summary>
    /// <param name="container">Any value; only maps and lists have children.</param>
    /// <param name="entries">What <see cref="ValidateMap"/> has said about it, if it has.</param>
    /// <param name="segment">The key or the number.</param>
    /// <param name="child">The bytes of the child.</param>
    public static bool TryGetChild(ReadOnlyMemory<byte> container, int[]? entries, ReadOnlySpan<char> segment, out ReadOnlyMemory<byte> child)
    {
        var header = ReadHeader(container.Span);
        if (header.Kind == SessionValueKind.Map && TryFind(container.Span, entries, segment, 0, out var entry))
        {
            child = container[entry.Value..entry.End];
            return true;
        }

        child = default;
        return header.Kind == SessionValueKind.List && TryGetByIndex(container, header, segment, out child);
    }

    /// <summary>An entry of a map: where its key begins, where its value begins, and where that ends.</summary>
    public readonly record struct Entry(int Start, int Value, int End);

    /// <summary>The first entry of a map with a key, of those that begin at or after <paramref name="from"/>.</summary>
    public static bool TryFind(ReadOnlySpan<byte> map, int[]? entries, ReadOnlySpan<char> segment, int from, out Entry entry)
    {
        if (Ascii.IsValid(segment))
            return TryFind(map, entries, segment, utf8: default, from, out entry);
        Span<byte> buffer = stackalloc byte[256];
        var utf8 = segment.Length * 3 <= buffer.Length ? buffer : new byte[Encoding.UTF8.GetByteCount(segment)];
        return TryFind(map, entries, segment, utf8[..Encoding.UTF8.GetBytes(segment, utf8)], from, out entry);
    }

    private static bool TryFind(
        ReadOnlySpan<byte> map, int[]? entries, ReadOnlySpan<char> segment, ReadOnlySpan<byte> utf8, int from, out Entry entry)
    {
        var header = ReadHeader(map);
        var count = (int)(header.Children / 2);
        var at = header.Start;
        for (var i = 0; i < count; i++)
        {
            var start = entries is null ? at : entries[i];
            at = start;
            var isWanted = IsKey(map, ref at, segment, utf8) && start >= from;
            if (isWanted || entries is null)
            {
                var end = entries is null ? at + Skip(map[at..]) : entries[i + 1];
                if (isWanted)
                {
                    entry = new Entry(start, at, end);
                    return true;
                }

                at = end;
            }
        }

        entry = default;
        return false;
    }

    /// <summary>Whether a key reads as a segment: ASCII, or else its UTF-8. Goes past the key, whatever it is.</summary>
    private static bool IsKey(ReadOnlySpan<byte> map, ref int at, ReadOnlySpan<char> segment, ReadOnlySpan<byte> utf8)
    {
        var code = map[at];
        scoped ReadOnlySpan<byte> text;
        if (code is >= 0xa0 and <= 0xbf)
        {
            text = map.Slice(at + 1, code & 0x1f);
            at += 1 + text.Length;
        }
        else
        {
            var header = ReadHeader(map[at..]);
            var key = map[at..];
            at += header.Children == 0 ? header.Start + header.Length : Skip(key);
            if (header.Kind == SessionValueKind.Integer)
                text = IntegerText(key, stackalloc byte[20]);
            else if (header.Kind == SessionValueKind.String)
                text = key.Slice(header.Start, header.Length);
            else
                return false;
        }

        return utf8.IsEmpty ? Ascii.Equals(text, segment) : text.SequenceEqual(utf8);
    }

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
