using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace RedisSessions.Values;

/// <summary>
/// What stands before the map of a large payload: a hash of each key, and how long each group of entries is. With it nobody walks through thousands of entries to
/// find one of them, neither who reads nor who writes. It comes from the store and is believed no more than the rest: the lengths must add up to the map, exactly;
/// a group is checked when it is touched for the first time, with its keys, their hashes and its values. Those who look at the same map at once may check a group
/// twice, with the same result.
/// </summary>
internal sealed class PayloadIndex
{
    /// <summary>The shortest map that is given an index, in bytes: to walk through less takes no time to speak of.</summary>
    public const int SmallestMap = 8 * 1024;

    /// <summary>How long the entries of a map that is given an index are on average, at least, in bytes: an index of smaller ones is much to store.</summary>
    public const int SmallestEntry = 8;

    /// <summary>Entries that are this long on average are a group each.</summary>
    public const int SmallestAlone = 128;

    /// <summary>How many of the others are a group.</summary>
    public const int InGroup = 16;

    /// <summary>The bytes before the hashes, and those of a length.</summary>
    public const int HeaderLength = 7, LengthSize = sizeof(uint);

    // An extension of MessagePack's, with its length in four bytes and a type that is left to applications: no value of a session begins so.
    private const byte Code = 0xc9, Type = 2;

    private readonly ReadOnlyMemory<byte> _hashes, _lengths;
    // Where each group begins in the map, and where the last one ends.
    private readonly int[] _starts;
    private readonly bool[] _isChecked;

    private PayloadIndex(ReadOnlyMemory<byte> hashes, ReadOnlyMemory<byte> lengths, int groupSize, Func<FormatException, Exception>? damaged)
    {
        (_hashes, _lengths, GroupSize, Damaged) = (hashes, lengths, groupSize, damaged);
        _starts = new int[lengths.Length / LengthSize + 1];
        _isChecked = new bool[_starts.Length - 1];
    }

    /// <summary>How many entries are a group; the last one may have fewer.</summary>
    public int GroupSize { get; }

    /// <summary>How many entries there are.</summary>
    public int Count => _hashes.Length / KeyHash.Size;

    /// <summary>What is thrown for what is damaged, if not a <see cref="FormatException"/>.</summary>
    public Func<FormatException, Exception>? Damaged { get; }

    /// <summary>The bytes of the index of a map; 0 when it is given none.</summary>
    public static int SizeOf(int map, int entries) => map < SmallestMap || map / SmallestEntry < entries
        ? 0
        : HeaderLength + KeyHash.Size * entries + LengthSize * Groups(entries, GroupSizeOf(map, entries));

    /// <summary>How many entries of a map are a group.</summary>
    public static int GroupSizeOf(int map, int entries) => map / SmallestAlone < entries ? InGroup : 1;

    /// <summary>Whether a payload begins with an index.</summary>
    public static bool Begins(ReadOnlySpan<byte> payload) => payload is [Code, ..];

    /// <summary>Reads an index. What is in the entries of the map behind it is not looked at.</summary>
    /// <param name="payload">Begins with an index.</param>
    /// <param name="damaged">What to throw, later, for what is damaged.</param>
    /// <param name="map">Where the map begins.</param>
    /// <exception cref="FormatException">It is not the index of that map.</exception>
    public static PayloadIndex Read(ReadOnlyMemory<byte> payload, Func<FormatException, Exception>? damaged, out int map)
    {
        var bytes = payload.Span;
        if (bytes.Length < HeaderLength || bytes[HeaderLength - 2] != Type || bytes[HeaderLength - 1] == 0)
            throw new FormatException("the payload is damaged: it begins with something that is no index");
        // The length is that of what follows the type, which is the size of a group first.
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]) - 1L;
        if (length > bytes.Length - HeaderLength)
            throw CutOff();
        map = HeaderLength + (int)length;
        var header = Packed.ReadHeader(bytes[map..]);
        var (entries, groupSize) = (header.Children / 2, bytes[HeaderLength - 1]);
        if (header.Kind != SessionValueKind.Map || length != KeyHash.Size * entries + LengthSize * ((entries + groupSize - 1) / groupSize))
            throw WrongIndex();
        var lengthsAt = HeaderLength + KeyHash.Size * (int)entries;
        var index = new PayloadIndex(payload[HeaderLength..lengthsAt], payload[lengthsAt..map], groupSize, damaged);
        index.ReadStarts(header.Start, bytes.Length - map);
        return index;
    }

    /// <summary>Writes what stands before the hashes.</summary>
    public static void WriteHeader(Span<byte> index, int groupSize)
    {
        index[0] = Code;
        BinaryPrimitives.WriteInt32BigEndian(index[1..], index.Length - HeaderLength + 1);
        (index[HeaderLength - 2], index[HeaderLength - 1]) = (Type, (byte)groupSize);
    }

    /// <summary>The first entry of the map with a key, of those from a number on.</summary>
    /// <param name="map">The map.</param>
    /// <param name="segment">The key.</param>
    /// <param name="from">The number.</param>
    /// <param name="entry">What was found; it is checked.</param>
    public bool TryFind(ReadOnlySpan<byte> map, ReadOnlySpan<char> segment, int from, out Packed.Entry entry)
    {
        Span<byte> buffer = stackalloc byte[256];
        var text = segment.Length * 3 <= buffer.Length ? buffer : new byte[Encoding.UTF8.GetByteCount(segment)];
        text = text[..Encoding.UTF8.GetBytes(segment, text)];
        var hash = KeyHash.Of(text);
        var (at, before) = (0, -1);
        for (var i = Next(hash, from); i >= 0; i = Next(hash, i + 1))
        {
            Check(map, i / GroupSize);
            // Of many with this hash none is walked past twice: somebody may have chosen them.
            at = before >= 0 && before / GroupSize == i / GroupSize ? Pass(map, i / GroupSize, at, i - before) : StartOf(map, i);
            before = i;
            if (!Packed.IsKey(map[at..], text, out var key))
                continue;
            entry = new Packed.Entry(i, at, at + key, GroupSize == 1 ? _starts[i + 1] : at + key + Packed.Skip(map[(at + key)..]));
            return true;
        }

        entry = default;
        return false;
    }

    /// <summary>Before all of the map is used.</summary>
    public void CheckAll(ReadOnlySpan<byte> map) => CheckFrom(map, 0);

    /// <summary>Before all of the map from an entry on is used.</summary>
    public void CheckFrom(ReadOnlySpan<byte> map, int entry)
    {
        for (var group = entry / GroupSize; group < _isChecked.Length; group++)
            Check(map, group);
    }

    /// <summary>Gives a new index what this one says of some entries.</summary>
    public void CopyTo(ref PayloadIndexWriter writer, ReadOnlySpan<byte> map, int from, int to)
    {
        for (var at = from < to ? StartOf(map, from) : 0; from < to;)
        {
            // Whole groups, and the last one as it is, where groups begin at the same entries here and there: nobody needs to know what is in them.
            var whole = to == Count ? to : to - to % GroupSize;
            if (from < whole && from % GroupSize == 0 && writer.TakesGroupsOf(GroupSize))
            {
                writer.AddGroups(Hashes(from, whole), _lengths.Span[(from / GroupSize * LengthSize)..(Groups(whole, GroupSize) * LengthSize)]);
                from = whole;
                at = _starts[Groups(whole, GroupSize)];
                continue;
            }

            // As many as go into the group that is being written; where they end is known if it is where theirs ends.
            var group = from / GroupSize;
            var endOfGroup = Math.Min(Count, (group + 1) * GroupSize);
            var next = Math.Min(Math.Min(to, endOfGroup), from + writer.Room);
            var end = next == endOfGroup ? _starts[group + 1] : Pass(map, group, at, next - from);
            writer.Add(Hashes(from, next), end - at);
            (from, at) = (next, end);
        }
    }

    private ReadOnlySpan<byte> Hashes(int from, int to) => _hashes.Span[(from * KeyHash.Size)..(to * KeyHash.Size)];

    private int Next(ushort hash, int from)
    {
        var at = MemoryMarshal.Cast<byte, ushort>(_hashes.Span[(from * KeyHash.Size)..])
            .IndexOf(BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(hash) : hash);
        return at < 0 ? at : from + at;
    }

    private int StartOf(ReadOnlySpan<byte> map, int entry) =>
        entry % GroupSize == 0 ? _starts[entry / GroupSize] : Pass(map, entry / GroupSize, _starts[entry / GroupSize], entry % GroupSize);

    // Where some entries of a group end that begin there.
    private int Pass(ReadOnlySpan<byte> map, int group, int at, int entries)
    {
        Check(map, group);
        for (; entries > 0; entries--)
            at += Packed.SkipEntry(map[at..]);
        return at;
    }

    private void ReadStarts(int at, int end)
    {
        var lengths = MemoryMarshal.Cast<byte, uint>(_lengths.Span);
        for (var i = 0; i < lengths.Length; i++)
        {
            _starts[i] = at;
            var length = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(lengths[i]) : lengths[i];
            if (length > end - at)
                throw WrongIndex();
            at += (int)length;
        }

        _starts[^1] = at == end ? end : throw WrongIndex();
    }

    private void Check(ReadOnlySpan<byte> map, int group)
    {
        if (_isChecked[group])
            return;
        try
        {
            var first = group * GroupSize;
            Packed.ValidateEntries(map[_starts[group].._starts[group + 1]], Hashes(first, Math.Min(Count, first + GroupSize)));
        }
        catch (FormatException e) when (Damaged is not null)
        {
            throw Damaged(e);
        }

        _isChecked[group] = true;
    }

    private static int Groups(int entries, int groupSize) => (entries + groupSize - 1) / groupSize;

    private static FormatException CutOff() => new("the payload is damaged: its index is cut off");

    private static FormatException WrongIndex() => new("the payload is damaged: its index is not that of its values");
}
