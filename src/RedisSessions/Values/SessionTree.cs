namespace RedisSessions.Values;

/// <summary>
/// The values of a session as a tree over MessagePack bytes. Reading walks the bytes, decodes nothing on its way and changes nothing; writing notes what is other
/// than in the bytes, along the path, and all that it does not touch is copied through as it is. The bytes given are never changed, so any number of trees may be
/// opened over one payload.
/// </summary>
internal sealed class SessionTree
{
    private readonly TreeNode _root;

    private SessionTree(TreeNode root) => _root = root;

    public static SessionTree Empty() => new(TreeNode.EmptyMap());

    /// <summary>
    /// Opens bytes that come from outside: one well-formed map; or an index and a map whose entries are checked when they are touched, and not before.
    /// </summary>
    /// <param name="payload">The bytes.</param>
    /// <param name="damaged">What is thrown in place of a <see cref="FormatException"/>, now or by whoever touches an entry that is damaged.</param>
    /// <exception cref="FormatException">They are not.</exception>
    public static SessionTree Read(ReadOnlyMemory<byte> payload, Func<FormatException, Exception>? damaged = null)
    {
        try
        {
            if (!PayloadIndex.Begins(payload.Span))
                return new(new TreeNode(payload, Packed.ValidateMap(payload.Span)));
            var index = PayloadIndex.Read(payload, damaged, out var map);
            return new(new TreeNode(payload[map..], default, index));
        }
        catch (FormatException e) when (damaged is not null)
        {
            throw damaged(e);
        }
    }

    /// <summary>A tree with the same values, to be changed without changing this one.</summary>
    public SessionTree Fork() => _root.IsPacked ? new(_root.Fork()) : Read(ToPayload(), _root.Index?.Damaged);

    /// <summary>A flat table of bytes. What is named like the engine's own keys is left out.</summary>
    public static SessionTree Of(IReadOnlyDictionary<string, byte[]> values)
    {
        var tree = Empty();
        foreach (var (key, value) in values)
        {
            var path = SessionPath.Literal(key);
            if (!ReservedKeys.Contain(path))
                tree.Set(path, SessionValue.From(value));
        }

        return tree;
    }

    public bool TryGet(SessionPath path, out SessionValue value)
    {
        var found = TryFind(path, out var bytes);
        value = new SessionValue(found ? bytes : Packed.Nil);
        return found;
    }

    /// <summary>Whether a key of this spelling is at the top, where it wins over the path.</summary>
    public bool HasLiteral(SessionPath path) => path.HasDots && _root.Has(path.Text);

    /// <summary>Whether two trees have the same value, or both none, at a path.</summary>
    public bool SameAt(SessionPath path, SessionTree other) =>
        TryGet(path, out var mine) == other.TryGet(path, out var theirs) && mine.SameAs(theirs);

    /// <summary>Sets a value. Always splits the key, makes the maps that are missing, and replaces what is neither map nor list on its way.</summary>
    public void Set(SessionPath path, SessionValue value)
    {
        if (path.IsLiteral)
            _root.Put(path.Text, new TreeNode(value.Bytes));
        else
            Parent(path, out var last).Put(last, new TreeNode(value.Bytes));
    }

    /// <summary>Removes a value; a missing one is none of our business.</summary>
    public bool Remove(SessionPath path)
    {
        if ((path.HasDots || path.IsLiteral) && _root.Remove(path.Text))
            return true;
        if (path.IsLiteral || !TryWalk(path, out _))
            return false;
        var node = Parent(path, out var last);
        return node.Remove(last);
    }

    /// <summary>Removes all values but one.</summary>
    public void ClearAllBut(SessionPath kept)
    {
        var stays = TryGet(kept, out var value);
        _root.Clear();
        if (stays)
            Set(kept, value);
    }

    /// <summary>The keys at the top with their values.</summary>
    public IEnumerable<KeyValuePair<string, SessionValue>> Entries() =>
        _root.Entries().Select(entry => KeyValuePair.Create(entry.Key, new SessionValue(entry.Value)));

    /// <summary>Adds to an integer; a missing or null value counts as 0.</summary>
    /// <returns>False, and nothing has changed, when something else is there or the sum does not fit.</returns>
    public bool TryIncrement(SessionPath path, long by, out long sum)
    {
        sum = by;
        if (TryWalk(path, out var bytes) && new SessionValue(bytes) is { Kind: not SessionValueKind.Null } value)
        {
            if (!value.TryGetInteger(out var old))
                return false;
            var wide = (Int128)old + by;
            if (wide < long.MinValue || wide > long.MaxValue)
                return false;
            sum = (long)wide;
        }

        Set(path, SessionValue.From(sum));
        return true;
    }

    /// <summary>Adds an element to a list, at its end or at its beginning; a missing or null value counts as an empty list.</summary>
    /// <returns>False, and nothing has changed, when something else is there.</returns>
    public bool TryAdd(SessionPath path, SessionValue value, bool first)
    {
        var node = Parent(path, out var last, create: false);
        if (node is null || !node.TryOpen(last, out var child) || child.Kind == SessionValueKind.Null)
        {
            child = TreeNode.EmptyList();
            Parent(path, out last).Put(last, child);
        }
        else if (child.Kind != SessionValueKind.List)
        {
            return false;
        }

        child.Insert(first, new TreeNode(value.Bytes));
        return true;
    }

    /// <summary>The top-level keys with the size of their values in bytes.</summary>
    public IEnumerable<(string Key, int Size)> Sizes() => _root.Entries().Select(entry => (entry.Key, entry.Value.Length));

    /// <summary>All values as one.</summary>
    public SessionValue ToValue()
    {
        _root.CheckAll();
        return new(_root.ToBytes());
    }

    /// <summary>The length of the payload in bytes, with its index if it has one.</summary>
    public int Size
    {
        get
        {
            var map = _root.Size;
            return IndexSize(map) + map;
        }
    }

    /// <summary>The payload: one MessagePack map, and before it an index if it is large.</summary>
    public ReadOnlyMemory<byte> ToPayload()
    {
        var map = _root.Size;
        var index = IndexSize(map);
        if (index == 0)
            return _root.ToBytes();
        var bytes = GC.AllocateUninitializedArray<byte>(index + map);
        WritePayload(bytes);
        return bytes;
    }

    /// <summary>Writes the payload.</summary>
    /// <param name="destination">As many bytes as <see cref="Size"/> says, or more.</param>
    public void WritePayload(Span<byte> destination)
    {
        // What fits into less is not measured once more.
        var index = destination.Length < PayloadIndex.SmallestMap ? 0 : IndexSize(_root.Size);
        var writer = new PackedWriter(destination[index..]);
        _root.Write(ref writer);
        if (index > 0)
            _root.WriteIndex(destination[..index], destination.Slice(index, writer.Written));
    }

    private int IndexSize(int map) => map < PayloadIndex.SmallestMap ? 0 : PayloadIndex.SizeOf(map, _root.Count);

    private bool TryFind(SessionPath path, out ReadOnlyMemory<byte> bytes)
    {
        if ((path.HasDots || path.IsLiteral) && _root.TryGet(path.Text, out var literal, out bytes))
        {
            if (literal is not null)
                bytes = literal.ToBytes();
            return true;
        }

        bytes = default;
        return !path.IsLiteral && TryWalk(path, out bytes);
    }

    private bool TryWalk(SessionPath path, out ReadOnlyMemory<byte> bytes)
    {
        bytes = default;
        var node = _root;
        var position = 0;
        while (path.TryNext(ref position, out var segment))
        {
            if (node is not null ? !node.TryGet(segment, out node, out bytes) : !Packed.TryGetChild(bytes, default, segment, out bytes))
                return false;
        }

        if (node is not null)
            bytes = node.ToBytes();
        return true;
    }

    private TreeNode Parent(SessionPath path, out ReadOnlySpan<char> last) => Parent(path, out last, create: true)!;

    private TreeNode? Parent(SessionPath path, out ReadOnlySpan<char> last, bool create)
    {
        var node = _root;
        var position = 0;
        while (path.TryNext(ref position, out last) && position <= path.Text.Length)
        {
            if (!node.TryOpen(last, out var child))
            {
                if (!create)
                    return null;
                child = TreeNode.EmptyMap();
                node.Put(last, child);
            }

            node = child;
        }

        return node;
    }
}
