using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace RedisSessions.Values;

/// <summary>
/// Finds its way through MessagePack bytes without decoding them: kinds, lengths, children. Everything that comes from a store goes
/// through <see cref="Validate"/> once; after that the bytes are known to be well-formed. Iterative and bounded: no input can cost more
/// than one pass, or more stack than <see cref="MaxDepth"/> counters.
/// </summary>
internal static class Packed
{
    /// <summary>How deep values may nest.</summary>
    public const int MaxDepth = 64;

    private const sbyte TimestampExtension = -1;

    /// <summary>One empty map: the payload of a session without values.</summary>
    public static readonly byte[] EmptyMap = [0x80];

    /// <summary>Nil.</summary>
    public static readonly byte[] Nil = [0xc0];

    /// <summary>A value's first bytes: where its content begins, how long that is, and how many values follow inside.</summary>
    public readonly record struct Header(SessionValueKind Kind, int Start, int Length, long Children);

    /// <summary>Checks that the bytes are exactly one well-formed value of the kinds a session holds.</summary>
    /// <exception cref="FormatException">They are not.</exception>
    public static void Validate(ReadOnlySpan<byte> bytes)
    {
        if (Skip(bytes) != bytes.Length)
            throw new FormatException("the payload is damaged: bytes after the value");
    }

    /// <summary>The length in bytes of the first value.</summary>
    /// <exception cref="FormatException">The bytes are cut off, nest too deep or hold something a session does not.</exception>
    public static int Skip(ReadOnlySpan<byte> bytes) => Skip(bytes, out _);

    /// <summary>How many maps and lists the first value has inside each other; empty ones do not count.</summary>
    public static int Depth(ReadOnlySpan<byte> bytes)
    {
        Skip(bytes, out var deepest);
        return deepest;
    }

    private static int Skip(ReadOnlySpan<byte> bytes, out int deepest)
    {
        deepest = 0;
        Span<long> left = stackalloc long[MaxDepth];
        var depth = 0;
        long at = 0;
        do
        {
            var header = ReadHeader(bytes[(int)at..]);
            at += header.Start + header.Length;
            if (at > bytes.Length || header.Children > bytes.Length - at)
                throw new FormatException("the payload is damaged: it is cut off");
            if (header.Children > 0)
            {
                if (depth == MaxDepth)
                    throw new FormatException($"the payload nests deeper than {MaxDepth} levels");
                left[depth++] = header.Children;
                deepest = Math.Max(deepest, depth);
                continue;
            }

            while (depth > 0 && --left[depth - 1] == 0)
                depth--;
        }
        while (depth > 0);

        return (int)at;
    }

    /// <summary>Reads the first bytes of a value.</summary>
    public static Header ReadHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            throw new FormatException("the payload is damaged: it is cut off");
        var code = bytes[0];
        return code switch
        {
            <= 0x7f or >= 0xe0 => new(SessionValueKind.Integer, 1, 0, 0),
            <= 0x8f => new(SessionValueKind.Map, 1, 0, 2 * (code & 0x0f)),
            <= 0x9f => new(SessionValueKind.List, 1, 0, code & 0x0f),
            <= 0xbf => new(SessionValueKind.String, 1, code & 0x1f, 0),
            0xc0 => new(SessionValueKind.Null, 1, 0, 0),
            0xc2 or 0xc3 => new(SessionValueKind.Boolean, 1, 0, 0),
            0xc4 or 0xc5 or 0xc6 => Sized(SessionValueKind.Bytes, bytes, 1 << (code - 0xc4)),
            0xc7 => Extension(bytes, 2, Unsigned(bytes, 1)),
            0xca => new(SessionValueKind.Double, 1, 4, 0),
            0xcb => new(SessionValueKind.Double, 1, 8, 0),
            >= 0xcc and <= 0xcf => new(SessionValueKind.Integer, 1, 1 << (code - 0xcc), 0),
            >= 0xd0 and <= 0xd3 => new(SessionValueKind.Integer, 1, 1 << (code - 0xd0), 0),
            0xd6 => Extension(bytes, 1, 4),
            0xd7 => Extension(bytes, 1, 8),
            0xd9 or 0xda or 0xdb => Sized(SessionValueKind.String, bytes, 1 << (code - 0xd9)),
            0xdc => new(SessionValueKind.List, 3, 0, Unsigned(bytes, 2)),
            0xdd => new(SessionValueKind.List, 5, 0, Unsigned(bytes, 4)),
            0xde => new(SessionValueKind.Map, 3, 0, 2 * Unsigned(bytes, 2)),
            0xdf => new(SessionValueKind.Map, 5, 0, 2 * Unsigned(bytes, 4)),
            _ => throw new FormatException($"the payload holds a value of unknown type 0x{code:x2}"),
        };
    }

    /// <summary>The child of a map by key, or of a list by number.</summary>
    public static bool TryGetChild(ReadOnlyMemory<byte> container, ReadOnlySpan<char> segment, out ReadOnlyMemory<byte> child)
    {
        var header = ReadHeader(container.Span);
        return header.Kind switch
        {
            SessionValueKind.Map => TryGetByKey(container, header, segment, out child),
            SessionValueKind.List => TryGetByIndex(container, header, segment, out child),
            _ => None(out child),
        };
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

    private static bool TryGetByKey(ReadOnlyMemory<byte> map, Header header, ReadOnlySpan<char> segment, out ReadOnlyMemory<byte> child)
    {
        Span<byte> buffer = stackalloc byte[256];
        var wanted = segment.Length * 3 <= buffer.Length ? buffer : new byte[Encoding.UTF8.GetByteCount(segment)];
        wanted = wanted[..Encoding.UTF8.GetBytes(segment, wanted)];
        Span<byte> digits = stackalloc byte[20];

        var span = map.Span;
        var at = header.Start;
        for (var i = 0L; i < header.Children; i += 2)
        {
            var key = ReadHeader(span[at..]);
            var text = key.Kind switch
            {
                SessionValueKind.String => span.Slice(at + key.Start, key.Length),
                SessionValueKind.Integer => IntegerText(span[at..], digits),
                _ => default,
            };
            var addressable = key.Kind is SessionValueKind.String or SessionValueKind.Integer;
            at += key.Children == 0 ? key.Start + key.Length : Skip(span[at..]);
            var length = Skip(span[at..]);
            if (addressable && text.SequenceEqual(wanted))
            {
                child = map.Slice(at, length);
                return true;
            }

            at += length;
        }

        return None(out child);
    }

    private static bool TryGetByIndex(ReadOnlyMemory<byte> list, Header header, ReadOnlySpan<char> segment, out ReadOnlyMemory<byte> child)
    {
        if (!TryParseIndex(segment, out var index) || index >= header.Children)
            return None(out child);
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

    private static Header Sized(SessionValueKind kind, ReadOnlySpan<byte> bytes, int sizeOfLength)
    {
        var length = Unsigned(bytes, sizeOfLength);
        if (length > bytes.Length)
            throw new FormatException("the payload is damaged: it is cut off");
        return new(kind, 1 + sizeOfLength, (int)length, 0);
    }

    private static Header Extension(ReadOnlySpan<byte> bytes, int typeAt, long length)
    {
        if (bytes.Length <= typeAt)
            throw new FormatException("the payload is damaged: it is cut off");
        // Timestamps are 4, 8 or 12 bytes long; no other extension is a value of a session.
        if ((sbyte)bytes[typeAt] != TimestampExtension || length is not (4 or 8 or 12))
            throw new FormatException($"the payload holds the extension type {(sbyte)bytes[typeAt]}, which is no value of a session");
        if (bytes.Length > typeAt + length && !IsInstant(bytes.Slice(typeAt + 1, (int)length)))
            throw new FormatException("the payload holds a timestamp that is out of range");
        return new(SessionValueKind.Timestamp, typeAt + 1, (int)length, 0);
    }

    // Seconds that DateTime holds, and less than a second of nanoseconds: decoding must not be what fails.
    private static bool IsInstant(ReadOnlySpan<byte> content) => content.Length switch
    {
        4 => true,
        8 => BinaryPrimitives.ReadUInt64BigEndian(content) >> 34 <= 999_999_999,
        _ => BinaryPrimitives.ReadUInt32BigEndian(content) <= 999_999_999
            && BinaryPrimitives.ReadInt64BigEndian(content[4..]) is >= -62_135_596_800 and <= 253_402_300_799,
    };

    private static long Unsigned(ReadOnlySpan<byte> bytes, int size)
    {
        if (bytes.Length < 1 + size)
            throw new FormatException("the payload is damaged: it is cut off");
        return size switch
        {
            1 => bytes[1],
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]),
            _ => BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]),
        };
    }

    private static bool None(out ReadOnlyMemory<byte> child)
    {
        child = default;
        return false;
    }
}
