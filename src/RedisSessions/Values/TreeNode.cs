using System.Buffers;
using System.Globalization;
using MessagePack;

namespace RedisSessions.Values;

/// <summary>
/// A place in a <see cref="SessionTree"/>: folded, it is the bytes of one value; unfolded, a map or a list of further nodes. A list that is
/// given a key it cannot have becomes a map with its numbers as keys, as PHP's arrays do: no element is lost.
/// </summary>
internal sealed class TreeNode(ReadOnlyMemory<byte> packed)
{
    private ReadOnlyMemory<byte> _packed = packed;
    private OrderedDictionary<string, Entry>? _map;
    private List<TreeNode>? _list;

    /// <summary>A map keeps the bytes of each key, so that a key that was a number stays one.</summary>
    private readonly record struct Entry(ReadOnlyMemory<byte> Key, TreeNode Value);

    public static TreeNode EmptyMap() => new(Packed.EmptyMap) { _map = new(StringComparer.Ordinal) };

    public static TreeNode EmptyList() => new(ReadOnlyMemory<byte>.Empty) { _list = [] };

    public bool IsUnfolded => _map is not null || _list is not null;

    public SessionValueKind Kind =>
        _map is not null ? SessionValueKind.Map : _list is not null ? SessionValueKind.List : Packed.ReadHeader(_packed.Span).Kind;

    /// <summary>The bytes of a child, without unfolding anything.</summary>
    public bool TryGet(ReadOnlySpan<char> segment, out ReadOnlyMemory<byte> bytes)
    {
        if (!IsUnfolded)
            return Packed.TryGetChild(_packed, segment, out bytes);
        var found = TryOpen(segment, out var child);
        bytes = found ? child.ToBytes() : default;
        return found;
    }

    /// <summary>A child to write to; unfolds this node.</summary>
    public bool TryOpen(ReadOnlySpan<char> segment, out TreeNode child)
    {
        child = null!;
        Unfold();
        if (_map is not null)
        {
            if (!_map.TryGetValue(segment.ToString(), out var entry))
                return false;
            child = entry.Value;
            return true;
        }

        if (_list is null || !Packed.TryParseIndex(segment, out var index) || index >= _list.Count)
            return false;
        child = _list[index];
        return true;
    }

    /// <summary>Sets a child, making this node a map if it is neither map nor list.</summary>
    public void Put(string segment, TreeNode child)
    {
        Unfold();
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

        _map ??= new(StringComparer.Ordinal);
        var key = _map.TryGetValue(segment, out var old) ? old.Key : SessionValue.From(segment).Bytes;
        _map[segment] = new Entry(key, child);
    }

    public bool Remove(string segment)
    {
        if (Kind is not (SessionValueKind.Map or SessionValueKind.List) || !TryGet(segment, out _))
            return false;
        Unfold();
        if (_map is not null)
            return _map.Remove(segment);
        _ = Packed.TryParseIndex(segment, out var index);
        _list!.RemoveAt(index);
        return true;
    }

    public void Clear()
    {
        _map = new(StringComparer.Ordinal);
        _list = null;
    }

    /// <summary>Adds an element; this node is a list.</summary>
    public void Insert(bool first, TreeNode element)
    {
        Unfold();
        _list!.Insert(first ? 0 : _list.Count, element);
    }

    public IEnumerable<(string Key, ReadOnlyMemory<byte> Value)> Entries()
    {
        Unfold();
        return _map is null ? [] : _map.Select(pair => (pair.Key, pair.Value.Value.ToBytes()));
    }

    public ReadOnlyMemory<byte> ToBytes()
    {
        if (!IsUnfolded)
            return _packed;
        var buffer = new ArrayBufferWriter<byte>(Math.Max(_packed.Length + 64, 256));
        var writer = new MessagePackWriter(buffer);
        Write(ref writer);
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private void Write(ref MessagePackWriter writer)
    {
        if (_map is not null)
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
            writer.WriteArrayHeader(_list.Count);
            foreach (var element in _list)
                element.Write(ref writer);
        }
        else
        {
            writer.WriteRaw(_packed.Span);
        }
    }

    private void Unfold()
    {
        if (IsUnfolded)
            return;
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
