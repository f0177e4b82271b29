using System.Globalization;

namespace RedisSessions.Values;

/// <summary>
/// A place in a <see cref="SessionTree"/>: the bytes of one value, as they were stored; on top of them the edits of a map; or, when there is more to change, all of
/// a map or a list as further nodes. Reading changes nothing here. A list that is given a key it cannot have becomes a map with its numbers as keys, as PHP's
/// arrays do: no element is lost.
/// </summary>
/// <param name="packed">The bytes of one value.</param>
/// <param name="places">What <see cref="Packed.ValidateMap"/> has said about them, if it has.</param>
/// <param name="index">Their index, if they came with one: then they are checked when they are touched, and not before.</param>
internal sealed class TreeNode(ReadOnlyMemory<byte> packed, Places places = default, PayloadIndex? index = null)
{
    private ReadOnlyMemory<byte> _packed = packed;
    private Places _places = places;
    private PayloadIndex? _index = index;
    private MapEdits? _edits;
    private OrderedDictionary<string, Entry>? _map;
    private List<TreeNode>? _list;

    /// <summary>A map keeps the bytes of each key, so that a key that was a number stays one.</summary>
    private readonly record struct Entry(ReadOnlyMemory<byte> Key, TreeNode Value);

    /// <summary>The same value, to be changed without changing this one; it is packed.</summary>
    public TreeNode Fork() => new(_packed, _places, _index);

    public static TreeNode EmptyMap() => new(Packed.EmptyMap);

    public static TreeNode EmptyList() => new(Packed.EmptyList);

    public SessionValueKind Kind =>
        _map is not null ? SessionValueKind.Map : _list is not null ? SessionValueKind.List : Packed.KindOf(_packed.Span[0]);

    /// <summary>A child to read: either a node, or its bytes.</summary>
    public bool TryGet(ReadOnlySpan<char> segment, out TreeNode? node, out ReadOnlyMemory<byte> bytes)
    {
        (node, bytes) = (null, default);
        if (_map is not null)
        {
            node = _map.TryGetValue(segment.ToString(), out var entry) ? entry.Value : null;
        }
        else if (_list is not null)
        {
            node = Packed.TryParseIndex(segment, out var index) && index < _list.Count ? _list[index] : null;
        }
        else if (_edits is null && _index is null)
        {
            return Packed.TryGetChild(_packed, _places, segment, out bytes);
        }
        else if ((node = _edits?.Added(segment)) is null && TryFind(segment, 0, out var place) && _edits?.TryGet(place, out node) != true)
        {
            bytes = _packed[place.Value..place.End];
            return true;
        }

        return node is not null;
    }

    public bool Has(ReadOnlySpan<char> segment) => TryGet(segment, out _, out _);

    /// <summary>A child to write to.</summary>
    public bool TryOpen(ReadOnlySpan<char> segment, out TreeNode child)
    {
        MakeRoom();
        if (_map is null && _list is null && _edits?.Added(segment) is null && TryFind(segment, 0, out var place) && !Edits.TryGet(place, out _))
        {
            child = new TreeNode(_packed[place.Value..place.End]);
            Edits.Replace(place, child);
            return true;
        }

        TryGet(segment, out var node, out _);
        child = node!;
        return node is not null;
    }

    /// <summary>Sets a child, making this node a map if it is neither map nor list.</summary>
    public void Put(ReadOnlySpan<char> segment, TreeNode child)
    {
        MakeRoom();
        if (_list is not null)
        {
            if (Packed.TryParseIndex(segment, out var index) && index <= _list.Count)
            {
                if (index == _list.Count)
                    _list.Add(child);
                else
                    _list[index] = child;
                return;
            }

            BecomeMap();
        }

        if (_map is not null)
        {
            var text = segment.ToString();
            var key = _map.TryGetValue(text, out var old) ? old.Key : SessionValue.From(text).Bytes;
            _map[text] = new Entry(key, child);
            return;
        }

        if (Kind != SessionValueKind.Map)
            (_packed, _places, _index) = (Packed.EmptyMap, default, null);
        // What was removed and comes back is a new entry, at the end.
        if (TryFind(segment, 0, out var place) && !(Edits.TryGet(place, out var was) && was is null))
            Edits.Replace(place, child);
        else
            Edits.Add(segment, child);
    }

    public bool Remove(ReadOnlySpan<char> segment)
    {
        if (!Has(segment))
            return false;
        MakeRoom();
        if (_map is not null)
            return _map.Remove(segment.ToString());
        if (_list is not null)
        {
            _ = Packed.TryParseIndex(segment, out var index);
            _list.RemoveAt(index);
            return true;
        }

        if (Edits.RemoveAdded(segment))
            return true;
        // A key may stand there twice; the second must not come to light.
        for (var from = 0; TryFind(segment, from, out var place); from = place.Number + 1)
        {
            // All behind it move up, from one group into another.
            if (_index is { GroupSize: > 1 })
                _index.CheckFrom(_packed.Span, place.Number);
            Edits.Replace(place, null);
        }

        return true;
    }

    public void Clear() => (_packed, _places, _index, _edits, _map, _list) = (Packed.EmptyMap, default, null, null, null, null);

    /// <summary>Adds an element; this node is a list.</summary>
    public void Insert(bool first, TreeNode element)
    {
        MakeRoom();
        _list!.Insert(first ? 0 : _list.Count, element);
    }

    /// <summary>The entries of a map with the bytes of their values.</summary>
    public IEnumerable<(string Key, ReadOnlyMemory<byte> Value)> Entries()
    {
        CheckAll();
        var copy = new TreeNode(ToBytes());
        copy.Unfold();
        return copy._map is null ? [] : copy._map.Select(static pair => (pair.Key, pair.Value.Value._packed));
    }

    /// <summary>The length of <see cref="ToBytes"/>.</summary>
    public int Size
    {
        get
        {
            if (_edits is not null)
                return _edits.SizeOver(_packed.Span);
            if (_map is null && _list is null)
                return _packed.Length;
            var size = PackedWriter.MapHeaderSize(_map?.Count ?? _list!.Count);
            if (_map is not null)
            {
                foreach (var (_, entry) in _map)
                    size += entry.Key.Length + entry.Value.Size;
            }
            else
            {
                foreach (var element in _list!)
                    size += element.Size;
            }

            return size;
        }
    }

    /// <summary>How many entries this map has.</summary>
    public int Count => _map?.Count ?? _edits?.CountOver(Packed.ReadHeader(_packed.Span)) ?? (int)(Packed.ReadHeader(_packed.Span).Children / 2);

    /// <summary>Whether the bytes are at hand, with nothing to be written.</summary>
    public bool IsPacked => _edits is null && _map is null && _list is null;

    /// <summary>The index of the bytes, if they came with one.</summary>
    public PayloadIndex? Index => _index;

    /// <summary>Before all of it is used.</summary>
    public void CheckAll() => _index?.CheckAll(_packed.Span);

    public ReadOnlyMemory<byte> ToBytes()
    {
        if (IsPacked)
            return _packed;
        var bytes = new byte[Size];
        var writer = new PackedWriter(bytes);
        Write(ref writer);
        return bytes;
    }

    public void Write(ref PackedWriter writer)
    {
        if (_edits is not null)
        {
            _edits.WriteOver(_packed.Span, ref writer);
        }
        else if (_map is not null)
        {
            writer.WriteMapHeader(_map.Count);
            foreach (var (_, entry) in _map)
            {
                writer.WriteRaw(entry.Key.Span);
                entry.Value.Write(ref writer);
            }
        }
        else if (_list is not null)
        {
            writer.WriteListHeader(_list.Count);
            foreach (var element in _list)
                element.Write(ref writer);
        }
        else
        {
            writer.WriteRaw(_packed.Span);
        }
    }

    /// <summary>Writes the index of this map.</summary>
    /// <param name="destination">As many bytes as it has.</param>
    /// <param name="map">What <see cref="Write"/> has written.</param>
    public void WriteIndex(Span<byte> destination, ReadOnlySpan<byte> map)
    {
        var writer = new PayloadIndexWriter(destination, Count, PayloadIndex.GroupSizeOf(map.Length, Count));
        if (_index is null)
            writer.AddAll(map);
        else if (_edits is null)
            _index.CopyTo(ref writer, map, 0, _index.Count);
        else
            _edits.WriteIndexOver(_index, _packed.Span, ref writer);
        writer.End();
    }

    // An entry of the bytes, to be used.
    private bool TryFind(ReadOnlySpan<char> segment, int from, out Packed.Entry place) =>
        _index?.TryFind(_packed.Span, segment, from, out place) ?? Packed.TryFind(_packed.Span, _places, segment, from, out place);

    private MapEdits Edits => _edits ??= new MapEdits();

    /// <summary>Before a change: lists unfold, and maps that have many.</summary>
    private void MakeRoom()
    {
        if (_map is null && _list is null && (_edits is { Count: >= MapEdits.Most } || (_edits is null && Kind == SessionValueKind.List)))
            Unfold();
    }

    private void Unfold()
    {
        CheckAll();
        (_packed, _places, _index, _edits) = (ToBytes(), default, null, null);
        var header = Packed.ReadHeader(_packed.Span);
        var at = header.Start;
        if (header.Kind == SessionValueKind.List)
        {
            _list = new List<TreeNode>((int)header.Children);
            for (var i = 0L; i < header.Children; i++)
                _list.Add(new TreeNode(Next(ref at)));
        }
        else if (header.Kind == SessionValueKind.Map)
        {
            _map = new((int)(header.Children / 2), StringComparer.Ordinal);
            for (var i = 0L; i < header.Children; i += 2)
            {
                var key = Next(ref at);
                // A key twice is no map any more; the first one is what reading finds too.
                _map.TryAdd(Packed.KeyText(key.Span), new Entry(key, new TreeNode(Next(ref at))));
            }
        }
    }

    private ReadOnlyMemory<byte> Next(ref int at)
    {
        var slice = _packed.Slice(at, Packed.Skip(_packed.Span[at..]));
        at += slice.Length;
        return slice;
    }

    private void BecomeMap()
    {
        _map = new(_list!.Count, StringComparer.Ordinal);
        for (var i = 0; i < _list.Count; i++)
        {
            var key = i.ToString(CultureInfo.InvariantCulture);
            _map[key] = new Entry(SessionValue.From(key).Bytes, _list[i]);
        }

        _list = null;
    }
}
