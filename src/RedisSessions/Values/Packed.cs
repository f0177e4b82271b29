using System.Buffers.Binary;

namespace RedisSessions.Values;

/// <summary>
/// Finds its way through MessagePack bytes without decoding them: kinds, lengths, children. Everything that comes from a store goes
/// through <see cref="ValidateMap"/> once, or, before it is used, through <see cref="ValidateEntries"/>; after that the bytes are known to be well-formed. Iterative and
/// bounded: no input can cost more than one pass, or more stack than <see cref="MaxDepth"/> counters.
/// </summary>
internal static partial class Packed
{
    /// <summary>How deep values may nest.</summary>
    public const int MaxDepth = 64;

    private const sbyte TimestampExtension = -1;

    // What a text of 32 to 255 bytes begins with: the commonest of those whose first byte does not say it all.
    private const byte ShortText = 0xd9;

    // The length in bytes of a value whose first byte says it all, sixteen to a line; 0 for the others.
    private static ReadOnlySpan<byte> Lengths =>
    [
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
        17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
        1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9,
        2, 3, 5, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ];

    /// <summary>One empty map: the payload of a session without values.</summary>
    public static readonly byte[] EmptyMap = [0x80];

    /// <summary>A list without elements.</summary>
    public static readonly byte[] EmptyList = [0x90];

    /// <summary>Nil.</summary>
    public static readonly byte[] Nil = [0xc0];

    /// <summary>A value's first bytes: where its content begins, how long that is, and how many values follow inside.</summary>
    public readonly record struct Header(SessionValueKind Kind, int Start, int Length, long Children);

    /// <summary>Checks that the bytes are exactly one well-formed value of the kinds a session holds.</summary>
    /// <exception cref="FormatException">They are not.</exception>
    public static void Validate(ReadOnlySpan<byte> bytes)
    {
        if (Measure(bytes, stackalloc int[MaxDepth], out _) != bytes.Length)
            throw Trailing();
    }

    /// <summary>Checks that the bytes are exactly some well-formed entries of a map at the top.</summary>
    /// <param name="bytes">The entries.</param>
    /// <param name="hashes">Those of their keys, as a <see cref="PayloadIndex"/> has them.</param>
    /// <exception cref="FormatException">They are not.</exception>
    public static void ValidateEntries(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> hashes) => WalkEntries(bytes, hashes, stackalloc int[MaxDepth - 1]);

    private static void WalkEntries(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> hashes, Span<int> levels)
    {
        var at = 0;
        for (var i = 0; i < hashes.Length; i += KeyHash.Size)
        {
            var key = LengthAt(bytes, at, levels);
            if (HashOfKey(bytes.Slice(at, key)) != BinaryPrimitives.ReadUInt16BigEndian(hashes[i..]))
                throw new FormatException("the payload is damaged: a key is not the one that its index has");
            at += key;
            at += LengthAt(bytes, at, levels);
        }

        if (at != bytes.Length)
            throw Trailing();
    }

    /// <summary>Checks that the bytes are exactly one well-formed map.</summary>
    /// <returns>Where each of its entries begins, and where the last one ends: finding a key then needs no look at the values of others.</returns>
    /// <exception cref="FormatException">They are not.</exception>
    public static Places ValidateMap(ReadOnlySpan<byte> bytes)
    {
        var header = ReadHeader(bytes);
        if (header.Kind != SessionValueKind.Map)
        {
            Validate(bytes);
            throw new FormatException("the payload is not a map");
        }

        if (header.Children > bytes.Length - header.Start)
            throw CutOff();
        return WalkMap(bytes, header.Start, new Places((int)(header.Children / 2)), stackalloc int[MaxDepth - 1]);
    }

    // On its own, because the compiler learns nothing about a method with memory on its stack, and this one has thousands of turns.
    private static Places WalkMap(ReadOnlySpan<byte> bytes, int at, Places places, Span<int> levels)
    {
        for (var i = 0; i < places.Count; i++)
        {
            var key = LengthAt(bytes, at, levels);
            places.Set(i, at, PrintOfKey(bytes.Slice(at, key)));
            at += key;
            at += LengthAt(bytes, at, levels);
        }

        places.SetEnd(at);
        return at == bytes.Length ? places : throw Trailing();
    }

    /// <summary>How many maps and lists the first value has inside each other; empty ones do not count.</summary>
    public static int Depth(ReadOnlySpan<byte> bytes)
    {
        var deepest = 0;
        if (Lengths[bytes[0]] == 0)
            Measure(bytes, stackalloc int[MaxDepth], out deepest);
        return deepest;
    }

    /// <summary>The length in bytes of the first value; the bytes are known to be well-formed.</summary>
    public static int Skip(ReadOnlySpan<byte> bytes)
    {
        var left = 1L;
        var at = 0;
        do
        {
            var code = bytes[at];
            int length = Lengths[code];
            if (length > 0)
            {
                at += length;
            }
            else if (code == ShortText)
            {
                at += 2 + bytes[at + 1];
            }
            else if (code is >= 0x80 and <= 0x9f)
            {
                at++;
                left += InlineChildren(code);
            }
            else
            {
                var header = ReadHeader(bytes[at..]);
                at += header.Start + header.Length;
                left += header.Children;
            }
        }
        while (--left > 0);
        return at;
    }

    /// <summary>The length in bytes of the first entry of what is left of a map; the bytes are known to be well-formed.</summary>
    public static int SkipEntry(ReadOnlySpan<byte> bytes)
    {
        var code = bytes[0];
        var key = code is >= 0xa0 and <= 0xbf ? 1 + (code & 0x1f) : Skip(bytes);
        int value = Lengths[bytes[key]];
        return key + (value > 0 ? value : Skip(bytes[key..]));
    }

    /// <summary>The length of the value that begins there. Nearly all keys and most values say it in their first byte or two.</summary>
    private static int LengthAt(ReadOnlySpan<byte> bytes, int at, Span<int> levels)
    {
        if ((uint)at < (uint)bytes.Length)
        {
            var code = bytes[at];
            // Where the next value begins waits for this: a look into the table takes longer.
            int length = code is >= 0xa0 and <= 0xbf ? 1 + (code & 0x1f) : Lengths[code];
            if (length == 0 && code == ShortText && at + 1 < bytes.Length)
                length = 2 + bytes[at + 1];
            if (length > 0)
                return length <= bytes.Length - at ? length : throw CutOff();
        }

        return Measure(bytes[at..], levels, out _);
    }

    /// <summary>The length of the first value, and how deep it nests, having looked at every byte that says so.</summary>
    /// <param name="bytes">Anything.</param>
    /// <param name="levels">Room for a counter for each level that is allowed.</param>
    /// <param name="deepest">How many levels there are.</param>
    private static int Measure(ReadOnlySpan<byte> bytes, Span<int> levels, out int deepest)
    {
        deepest = 0;
        int depth = 0, left = 1, at = 0;
        while (true)
        {
            if (at >= bytes.Length)
                throw CutOff();
            var code = bytes[at];
            int length = Lengths[code];
            if (length > 0)
            {
                at += length;
            }
            else if (code == ShortText && bytes.Length - at > 1)
            {
                at += 2 + bytes[at + 1];
            }
            else
            {
                long children = InlineChildren(code);
                if (code is >= 0x80 and <= 0x9f)
                {
                    at++;
                }
                else
                {
                    var header = ReadHeader(bytes[at..]);
                    children = header.Children;
                    if (header.Start + (long)header.Length > bytes.Length - at)
                        throw CutOff();
                    at += header.Start + header.Length;
                }

                if (children > bytes.Length - at)
                    throw CutOff();
                if (children > 0)
                {
                    if (depth == levels.Length)
                        throw new FormatException($"the payload nests deeper than {MaxDepth} levels");
                    levels[depth++] = left;
                    deepest = Math.Max(deepest, depth);
                    left = (int)children;
                    continue;
                }
            }

            while (--left == 0)
            {
                if (depth == 0)
                    return at <= bytes.Length ? at : throw CutOff();
                left = levels[--depth];
            }
        }
    }

    /// <summary>What a value is that begins with this byte.</summary>
    public static SessionValueKind KindOf(byte code) => code switch
    {
        <= 0x7f or >= 0xe0 or (>= 0xcc and <= 0xd3) => SessionValueKind.Integer,
        <= 0x8f or 0xde or 0xdf => SessionValueKind.Map,
        <= 0x9f or 0xdc or 0xdd => SessionValueKind.List,
        <= 0xbf or 0xd9 or 0xda or 0xdb => SessionValueKind.String,
        0xc0 => SessionValueKind.Null,
        0xc2 or 0xc3 => SessionValueKind.Boolean,
        0xc4 or 0xc5 or 0xc6 => SessionValueKind.Bytes,
        0xca or 0xcb => SessionValueKind.Double,
        0xc7 or 0xd6 or 0xd7 => SessionValueKind.Timestamp,
        PackedDecimal.Code => SessionValueKind.Decimal,
        PackedDate.Code => SessionValueKind.Date,
        PhpForeign.Code => SessionValueKind.Foreign,
        _ => throw new FormatException($"the payload holds a value of unknown type 0x{code:x2}"),
    };

    /// <summary>Reads the first bytes of a value.</summary>
    public static Header ReadHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            throw CutOff();
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
            PackedDecimal.Code => Decimal(bytes),
            PackedDate.Code => Date(bytes),
            PhpForeign.Code when PhpForeign.IsMarked(bytes) => Sized(SessionValueKind.Foreign, bytes, sizeof(uint)) with { Start = PhpForeign.Start },
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

    private static Header Sized(SessionValueKind kind, ReadOnlySpan<byte> bytes, int sizeOfLength)
    {
        var length = Unsigned(bytes, sizeOfLength);
        if (length > bytes.Length)
            throw CutOff();
        return new(kind, 1 + sizeOfLength, (int)length, 0);
    }

    private static Header Extension(ReadOnlySpan<byte> bytes, int typeAt, long length)
    {
        if (bytes.Length <= typeAt)
            throw CutOff();
        // Timestamps are 4, 8 or 12 bytes long; no other extension is a value of a session.
        if ((sbyte)bytes[typeAt] != TimestampExtension || length is not (4 or 8 or 12))
            throw new FormatException($"the payload holds the extension type {(sbyte)bytes[typeAt]}, which is no value of a session");
        if (bytes.Length > typeAt + length && !IsInstant(bytes.Slice(typeAt + 1, (int)length)))
            throw new FormatException("the payload holds a timestamp that is out of range");
        return new(SessionValueKind.Timestamp, typeAt + 1, (int)length, 0);
    }

    private static Header Decimal(ReadOnlySpan<byte> bytes)
    {
        var length = Unsigned(bytes, 2);
        if (bytes.Length < PackedDecimal.Start)
            throw CutOff();
        if (bytes[PackedDecimal.Start - 1] != PackedDecimal.Extension || length is 0 or > PackedDecimal.Longest)
            throw new FormatException($"the payload holds the extension type {(sbyte)bytes[PackedDecimal.Start - 1]}, which is no value of a session");
        if (bytes.Length >= PackedDecimal.Start + length && !PackedDecimal.IsValid(bytes.Slice(PackedDecimal.Start, (int)length)))
            throw new FormatException("the payload holds a decimal that is none");
        return new(SessionValueKind.Decimal, PackedDecimal.Start, (int)length, 0);
    }

    private static Header Date(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < PackedDate.Start)
            throw CutOff();
        if (bytes[PackedDate.Start - 1] != PackedDate.Extension)
            throw new FormatException($"the payload holds the extension type {(sbyte)bytes[PackedDate.Start - 1]}, which is no value of a session");
        if (bytes.Length >= PackedDate.Start + PackedDate.Length && !PackedDate.IsValid(bytes.Slice(PackedDate.Start, PackedDate.Length)))
            throw new FormatException("the payload holds a date that is none");
        return new(SessionValueKind.Date, PackedDate.Start, PackedDate.Length, 0);
    }

    // Seconds that DateTime holds, and less than a second of nanoseconds: decoding must not be what fails.
    private static bool IsInstant(ReadOnlySpan<byte> content) => content.Length switch
    {
        4 => true,
        8 => BinaryPrimitives.ReadUInt64BigEndian(content) >> 34 <= 999_999_999,
        _ => BinaryPrimitives.ReadUInt32BigEndian(content) <= 999_999_999
            && BinaryPrimitives.ReadInt64BigEndian(content[4..]) is >= -62_135_596_800 and <= 253_402_300_799,
    };

    // How many values are in a map or a list whose first byte says so.
    private static int InlineChildren(int code) => code < 0x90 ? 2 * (code & 0x0f) : code & 0x0f;

    private static FormatException CutOff() => new("the payload is damaged: it is cut off");

    private static FormatException Trailing() => new("the payload is damaged: bytes after the value");

    private static long Unsigned(ReadOnlySpan<byte> bytes, int size)
    {
        if (bytes.Length < 1 + size)
            throw CutOff();
        return size switch
        {
            1 => bytes[1],
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]),
            _ => BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]),
        };
    }
}
