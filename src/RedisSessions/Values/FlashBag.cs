namespace RedisSessions.Values;

/// <summary>
/// Which keys are flashed, kept in the session itself under a reserved key: "new" were flashed by the last request that committed,
/// "old" were shown once. All functions work on a tree and know nothing of requests.
/// </summary>
internal static class FlashBag
{
    public const string ReservedKey = "_flash";

    public static readonly SessionPath Root = SessionPath.Parse(ReservedKey);
    private static readonly SessionPath New = SessionPath.Parse(ReservedKey + ".new");
    private static readonly SessionPath Old = SessionPath.Parse(ReservedKey + ".old");

    /// <summary>Notes a flashed key. Once a request's flash data has aged, what it flashes now is as old as what it flashed before.</summary>
    public static void Mark(SessionTree tree, string key, bool aged)
    {
        var (fresh, shown) = Lists(tree);
        fresh.Remove(key);
        shown.Remove(key);
        (aged ? shown : fresh).Add(key);
        Store(tree, fresh, shown);
    }

    public static void Keep(SessionTree tree, IReadOnlyList<string>? keys, bool aged)
    {
        var (fresh, shown) = Lists(tree);
        foreach (var key in keys ?? [.. shown])
        {
            if (!aged && shown.Remove(key))
                fresh.Add(key);
        }

        Store(tree, fresh, shown);
    }

    /// <summary>The keys that are flashed in a tree.</summary>
    public static IReadOnlyList<SessionPath> Keys(SessionTree tree)
    {
        if (!tree.TryGet(Root, out _))
            return [];
        var (fresh, shown) = Lists(tree);
        return [.. fresh.Concat(shown).Select(SessionPath.Parse)];
    }

    /// <summary>What aging means for this tree now; null when there is nothing flashed.</summary>
    public static AgeFlashChange? Aging(SessionTree tree)
    {
        if (!tree.TryGet(Root, out var bag))
            return null;
        var (fresh, shown) = Lists(tree);
        // Laravel leaves empty lists behind, which are no reason to store anything. What else is there and names no key is cleaned away.
        if (fresh.Count == 0 && shown.Count == 0 && bag.Kind == SessionValueKind.Map && IsEmpty(New) && IsEmpty(Old))
            return null;
        var expired = shown.ConvertAll(key =>
        {
            tree.TryGet(SessionPath.Parse(key), out var value);
            return KeyValuePair.Create(key, value);
        });
        return new AgeFlashChange(expired, fresh);

        bool IsEmpty(SessionPath path) => !tree.TryGet(path, out var list) || list.IsEmpty;
    }

    /// <summary>
    /// Applies an aging that was decided on another tree. A value that somebody has flashed anew meanwhile is not the one that was shown.
    /// </summary>
    public static void Age(SessionTree tree, AgeFlashChange aging)
    {
        var (fresh, shown) = Lists(tree);
        foreach (var (key, value) in aging.Expired)
        {
            var path = SessionPath.Parse(key);
            if (!tree.TryGet(path, out var current))
                shown.Remove(key);
            else if (current.SameAs(value) && shown.Remove(key))
                tree.Remove(path);
        }

        foreach (var key in aging.Shown)
        {
            if (fresh.Remove(key))
                shown.Add(key);
        }

        Store(tree, fresh, shown);
    }

    private static (List<string> New, List<string> Old) Lists(SessionTree tree) => (List(tree, New), List(tree, Old));

    // The list comes from the store: whatever in it is no usable key is dropped instead of failing every request of the session.
    private static List<string> List(SessionTree tree, SessionPath path) =>
        tree.TryGet(path, out var value) && value.ToObject() is IEnumerable<object?> keys
            ? [.. keys.OfType<string>().Where(key => key.Length > 0 && key.AsSpan().Count('.') < Packed.MaxDepth - 1)]
            : [];

    private static void Store(SessionTree tree, List<string> fresh, List<string> shown)
    {
        tree.Remove(Root);
        if (fresh.Count > 0)
            tree.Set(New, SessionValue.From(fresh));
        if (shown.Count > 0)
            tree.Set(Old, SessionValue.From(shown));
    }
}
