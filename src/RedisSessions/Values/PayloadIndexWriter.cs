using System.Buffers.Binary;

namespace RedisSessions.Values;

/// <summary>Writes the index of a map, entry by entry in the map's order, or whole groups of them as another index has them.</summary>
internal ref struct PayloadIndexWriter
{
    private readonly int _groupSize;
    private Span<byte> _hashes, _lengths;
    private int _inGroup;
    private long _length;

    /// <param name="destination">As many bytes as the index has.</param>
    /// <param name="entries">How many entries the map has.</param>
    /// <param name="groupSize">How many of them are a group.</param>
    public PayloadIndexWriter(Span<byte> destination, int entries, int groupSize)
    {
        PayloadIndex.WriteHeader(destination, groupSize);
        _groupSize = groupSize;
        _hashes = destination.Slice(PayloadIndex.HeaderLength, KeyHash.Size * entries);
        _lengths = destination[(PayloadIndex.HeaderLength + _hashes.Length)..];
    }

    /// <summary>Whether a group begins with the next entry, and groups are of that size.</summary>
    public readonly bool TakesGroupsOf(int size) => _inGroup == 0 && size == _groupSize;

    /// <summary>The next entries are these groups, all whole but perhaps the last.</summary>
    public void AddGroups(scoped ReadOnlySpan<byte> hashes, scoped ReadOnlySpan<byte> lengths)
    {
        Write(ref _hashes, hashes);
        _inGroup = hashes.Length / KeyHash.Size % _groupSize;
        if (_inGroup > 0)
        {
            // Another entry may come into the last one.
            _length = BinaryPrimitives.ReadUInt32BigEndian(lengths[^PayloadIndex.LengthSize..]);
            lengths = lengths[..^PayloadIndex.LengthSize];
        }

        Write(ref _lengths, lengths);
    }

    /// <summary>How many entries there is room for in the group of the next one.</summary>
    public readonly int Room => _groupSize - _inGroup;

    /// <summary>The next entries have keys with these hashes, and this length together; there is <see cref="Room"/> for them.</summary>
    public void Add(scoped ReadOnlySpan<byte> hashes, int length)
    {
        Write(ref _hashes, hashes);
        _length += length;
        _inGroup += hashes.Length / KeyHash.Size;
        if (_inGroup == _groupSize)
            End();
    }

    /// <summary>The next entry has a key with this hash, and this length.</summary>
    public void Add(ushort hash, int length)
    {
        Span<byte> bytes = stackalloc byte[KeyHash.Size];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, hash);
        Add(bytes, length);
    }

    /// <summary>The next entries are all of a well-formed map.</summary>
    public void AddAll(ReadOnlySpan<byte> map)
    {
        for (var at = Packed.ReadHeader(map).Start; at < map.Length;)
        {
            var (key, length) = (Packed.Skip(map[at..]), Packed.SkipEntry(map[at..]));
            Add(Packed.HashOfKey(map.Slice(at, key)), length);
            at += length;
        }
    }

    /// <summary>There are no more.</summary>
    public void End()
    {
        if (_inGroup == 0)
            return;
        BinaryPrimitives.WriteUInt32BigEndian(_lengths, (uint)_length);
        _lengths = _lengths[PayloadIndex.LengthSize..];
        (_inGroup, _length) = (0, 0);
    }

    private static void Write(ref Span<byte> destination, scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(destination);
        destination = destination[bytes.Length..];
    }
}
