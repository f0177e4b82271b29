namespace RedisSessions.Values;

/// <summary>
/// The values of a session as a tree over MessagePack bytes. Reading walks the bytes and decodes nothing on its way; writing unfolds
/// only the maps and lists along the path, and all other bytes are copied through as they are. The bytes given are never changed, so
/// any number of trees may be opened over one payload.
/// </summary>
internal sealed class SessionTree
{
    private readonly TreeNode _root;

    private SessionTree(ReadOnlyMemory<byte> payload) => _root = new TreeNode(payload);

    public static SessionTree Empty() => new(Packed.EmptyMap);

    /// <summary>Opens bytes that are known to be a valid payload.</summary>
    public static SessionTree Open(ReadOnlyMemory<byte> payload) => new(payload);

    /// <summary>Opens bytes that come from outside.</summary>
    /// <exception cref="FormatException">They are not one well-formed map.</exception>
    public static SessionTree Read(ReadOnlyMemory<byte> payload)
    {
        Packed.Validate(payload.Span);
        if (Packed.ReadHeader(payload.Span).Kind != SessionValueKind.Map)
            throw new FormatException("the payload is not a map");
        return new SessionTree(payload);
    }

    /// <summary>A flat table of bytes. What is named like the engine's own keys is left out.</summary>
    public static SessionTree Of(IReadOnlyDictionary<string, byte[]> values)
    {
        var tree = Empty();
        foreach (var (key, value) in values)
        {
            var path = SessionPath.Literal(key);
            if (!SessionNotes.IsReserved(path))
                tree.Set(path, SessionValue.From(value));
        }

        return tree;
    }

    public bool TryGet(SessionPath path, out SessionValue value)
    {
        var found = (path.HasDots || path.IsLiteral) && _root.TryGet(path.Text, out var bytes) ? bytes : path.IsLiteral ? null : Walk(path);
        value = new SessionValue(found ?? Packed.Nil);
        return found is not null;
    }

    /// <summary>Whether a key of this spelling is at the top, where it wins over the path.</summary>
    public bool HasLiteral(SessionPath path) => path.HasDots && _root.TryGet(path.Text, out _);

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
        if (path.IsLiteral || Walk(path) is null)
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
        if (Walk(path) is { } bytes && Packed.ReadHeader(bytes.Span) is { Kind: not SessionValueKind.Null } header)
        {
            if (header.Kind != SessionValueKind.Integer || new SessionValue(bytes).ToObject() is not long old)
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

    /// <summary>The payload: one MessagePack map.</summary>
    public ReadOnlyMemory<byte> ToPayload() => _root.ToBytes();

    private ReadOnlyMemory<byte>? Walk(SessionPath path)
    {
        var node = _root;
        ReadOnlyMemory<byte>? bytes = null;
        foreach (var range in path.Segments)
        {
            var segment = path.Text.AsSpan(range);
            if (bytes is { } container)
            {
                if (!Packed.TryGetChild(container, segment, out var child))
                    return null;
                bytes = child;
            }
            else if (node.IsUnfolded)
            {
                if (!node.TryOpen(segment, out var child))
                    return null;
                node = child;
            }
            else if (node.TryGet(segment, out var child))
            {
                bytes = child;
            }
            else
            {
                return null;
            }
        }

        return bytes ?? node.ToBytes();
    }

    private TreeNode Parent(SessionPath path, out string last) => Parent(path, out last, create: true)!;

    private TreeNode? Parent(SessionPath path, out string last, bool create)
    {
        var node = _root;
        last = "";
        var end = path.Text.Length;
        foreach (var range in path.Segments)
        {
            var segment = path.Text.AsSpan(range);
            if (range.End.Value == end)
            {
                last = segment.ToString();
                break;
            }

            if (!node.TryOpen(segment, out var child))
            {
                if (!create)
                    return null;
                child = TreeNode.EmptyMap();
                node.Put(segment.ToString(), child);
            }

            node = child;
        }

        return node;
    }
}
