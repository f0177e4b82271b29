using System.Text;

namespace RedisSessions.Values;

/// <summary>
/// What was done to a map whose bytes stay as they are: entries with another value or none, by their place, and entries that came on top. A few of them; who does
/// more than <see cref="Most"/> unfolds the map.
/// </summary>
internal sealed class MapEdits
{
    public const int Most = 16;

    // By place, so that writing goes through the bytes once.
    private readonly List<(Packed.Entry Place, TreeNode? Value)> _replaced = new(2);
    private List<(string Key, TreeNode Value)>? _added;

    public int Count => _replaced.Count + (_added?.Count ?? 0);

    /// <summary>What came on top, by key.</summary>
    public TreeNode? Added(ReadOnlySpan<char> key)
    {
        var at = IndexOfAdded(key);
        return at < 0 ? null : _added![at].Value;
    }

    /// <summary>What an entry of the bytes has become.</summary>
    /// <param name="place">The entry.</param>
    /// <param name="value">Null when it was removed.</param>
    /// <returns>False when it is as it was.</returns>
    public bool TryGet(Packed.Entry place, out TreeNode? value)
    {
        var at = IndexOf(place);
        value = at < 0 ? null : _replaced[at].Value;
        return at >= 0;
    }

    /// <summary>Gives an entry of the bytes another value; null removes it.</summary>
    public void Replace(Packed.Entry place, TreeNode? value)
    {
        var at = IndexOf(place);
        if (at >= 0)
            _replaced[at] = (place, value);
        else
            _replaced.Insert(~at, (place, value));
    }

    public void Add(ReadOnlySpan<char> key, TreeNode value)
    {
        var at = IndexOfAdded(key);
        if (at >= 0)
            _added![at] = (_added[at].Key, value);
        else
            (_added ??= []).Add((key.ToString(), value));
    }

    public bool RemoveAdded(ReadOnlySpan<char> key)
    {
        var at = IndexOfAdded(key);
        if (at >= 0)
            _added!.RemoveAt(at);
        return at >= 0;
    }

    /// <summary>How many entries the map has with these edits.</summary>
    public int CountOver(Packed.Header header)
    {
        var count = (int)(header.Children / 2) + Additions.Count;
        foreach (var (_, value) in _replaced)
        {
            if (value is null)
                count--;
        }

        return count;
    }

    /// <summary>The length of the map with these edits, in bytes.</summary>
    public int SizeOver(ReadOnlySpan<byte> map)
    {
        var header = Packed.ReadHeader(map);
        var size = PackedWriter.MapHeaderSize(CountOver(header)) + map.Length - header.Start;
        foreach (var (place, value) in _replaced)
            size += value is null ? place.Start - place.End : value.Size - (place.End - place.Value);
        foreach (var (key, value) in Additions)
            size += PackedWriter.StringSize(key) + value.Size;
        return size;
    }

    /// <summary>Writes the index of the map with these edits.</summary>
    /// <param name="index">That of the map without them.</param>
    /// <param name="map">The map without them.</param>
    /// <param name="writer">Where to.</param>
    public void WriteIndexOver(PayloadIndex index, ReadOnlySpan<byte> map, ref PayloadIndexWriter writer)
    {
        var next = 0;
        foreach (var (place, value) in _replaced)
        {
            index.CopyTo(ref writer, map, next, place.Number);
            if (value is not null)
                writer.Add(Packed.HashOfKey(map[place.Start..place.Value]), place.Value - place.Start + value.Size);
            next = place.Number + 1;
        }

        index.CopyTo(ref writer, map, next, index.Count);
        foreach (var (key, value) in Additions)
            writer.Add(KeyHash.Of(Encoding.UTF8.GetBytes(key)), PackedWriter.StringSize(key) + value.Size);
    }

    /// <summary>Writes the map with these edits: what nobody has touched is copied as it is.</summary>
    public void WriteOver(ReadOnlySpan<byte> map, ref PackedWriter writer)
    {
        var header = Packed.ReadHeader(map);
        writer.WriteMapHeader(CountOver(header));
        var at = header.Start;
        foreach (var (place, value) in _replaced)
        {
            writer.WriteRaw(map[at..(value is null ? place.Start : place.Value)]);
            value?.Write(ref writer);
            at = place.End;
        }

        writer.WriteRaw(map[at..]);
        foreach (var (key, value) in Additions)
        {
            writer.WriteString(key);
            value.Write(ref writer);
        }
    }

    private List<(string Key, TreeNode Value)> Additions => _added ?? None;

    private static readonly List<(string Key, TreeNode Value)> None = [];

    private int IndexOfAdded(ReadOnlySpan<char> key)
    {
        var added = Additions;
        for (var i = 0; i < added.Count; i++)
        {
            if (key.SequenceEqual(added[i].Key))
                return i;
        }

        return -1;
    }

    /// <returns>Its index, or the complement of the one where it belongs.</returns>
    private int IndexOf(Packed.Entry place)
    {
        for (var i = 0; i < _replaced.Count; i++)
        {
            if (_replaced[i].Place.Start >= place.Start)
                return _replaced[i].Place.Start == place.Start ? i : ~i;
        }

        return ~_replaced.Count;
    }
}
