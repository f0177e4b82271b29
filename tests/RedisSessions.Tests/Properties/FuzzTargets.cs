using System.Text;
using RedisSessions.Values;

namespace RedisSessions.Tests.Properties;

/// <summary>
/// Every parser of bytes or text that come from outside. A target takes anything, and throws when the parser throws what it must not,
/// or accepts what the rest of the library could not live with.
/// </summary>
internal static class FuzzTargets
{
    public delegate void Target(ReadOnlySpan<byte> input);

    /// <summary>The parsers, by the method that they are, with their target.</summary>
    public static readonly IReadOnlyDictionary<string, Target> All = new Dictionary<string, Target>
    {
        ["RecordFormat.Read"] = Record,
        ["SessionTree.Read"] = Payload,
        ["SessionKey.TryParse"] = StoreKey,
        ["SessionPath.Parse"] = KeyPath,
        ["SessionPath.TryParse"] = KeyPath,
        ["SessionId.TryParse"] = CookieId,
        ["SessionKey.FromBytes"] = Forward,
    };

    private static void Record(ReadOnlySpan<byte> input)
    {
        try
        {
            var record = RecordFormat.Read(input.ToArray());
            if (!RecordFormat.Write(record).AsSpan(0, RecordFormat.VersionOffset).SequenceEqual(input[..RecordFormat.VersionOffset]))
                throw new InvalidOperationException("A record that was accepted is not written as it was.");
        }
        catch (FormatException)
        {
        }
    }

    private static void Payload(ReadOnlySpan<byte> input)
    {
        SessionTree tree;
        try
        {
            tree = SessionTree.Read(input.ToArray());
        }
        catch (FormatException)
        {
            return;
        }

        // What was accepted can be read, changed and stored. Behind an index it is checked when it is touched; what nobody has touched is stored as it is.
        try
        {
            Write(tree.Fork());
            Read(tree);
            Write(tree);
        }
        catch (FormatException) when (PayloadIndex.Begins(input))
        {
        }
    }

    private static void Read(SessionTree tree)
    {
        _ = tree.ToValue().ToObject();
        foreach (var (key, _) in tree.Sizes().ToList())
        {
            if (key.Length > 0 && key.Count(c => c == '.') < 60)
                tree.TryGet(SessionPath.Parse(key), out _);
        }
    }

    private static void Write(SessionTree tree)
    {
        tree.Set(SessionPath.Parse("a.0.b"), SessionValue.From(1));
        tree.TryAdd(SessionPath.Parse("l.l"), SessionValue.From(1), first: true);
        tree.TryIncrement(SessionPath.Parse("n"), 1, out _);
        tree.Remove(SessionPath.Parse("k.1"));
        if (FlashBag.Aging(tree) is { } aging)
            FlashBag.Age(tree, aging);
        SessionTree.Read(tree.ToPayload());
    }

    private static void KeyPath(ReadOnlySpan<byte> input)
    {
        SessionPath path;
        var parses = SessionPath.TryParse(Encoding.UTF8.GetString(input), out var tried);
        try
        {
            path = SessionPath.Parse(Encoding.UTF8.GetString(input));
        }
        catch (ArgumentException) when (!parses)
        {
            return;
        }

        if (path != tried)
            throw new InvalidOperationException("the two ways to parse a path disagree");

        var tree = SessionTree.Empty();
        tree.Set(path, SessionValue.From(7));
        var stored = SessionTree.Read(tree.ToPayload());
        if (!stored.TryGet(path, out var value) || value.ToObject() is not 7L || !stored.Remove(path) || stored.TryGet(path, out _))
            throw new InvalidOperationException("What was set at a path is not found or not removed there.");
    }

    private static void CookieId(ReadOnlySpan<byte> input)
    {
        var text = Encoding.Latin1.GetString(input);
        if (SessionId.TryParse(text, out var id) && (id.Value != text || text.Length != SessionId.Length || !text.All(char.IsAscii)))
            throw new InvalidOperationException("An id was accepted that is spelled otherwise.");
    }

    private static void Forward(ReadOnlySpan<byte> input)
    {
        try
        {
            if (!SessionKey.FromBytes(input).ToBytes().AsSpan().SequenceEqual(input))
                throw new InvalidOperationException("A key was accepted that is spelled otherwise.");
        }
        catch (FormatException)
        {
        }
    }

    private static void StoreKey(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (SessionKey.TryParse(text, out var key) && key.Value != text)
            throw new InvalidOperationException("a key is not what it was parsed from");
    }
}
