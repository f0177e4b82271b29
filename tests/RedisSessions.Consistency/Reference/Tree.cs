using System.Collections.Immutable;
using System.Globalization;
using Map = System.Collections.Immutable.ImmutableSortedDictionary<string, object?>;

namespace RedisSessions.Consistency.Reference;

/// <summary>
/// Values as an immutable tree: null, bool, long, double, string, byte[], DateTimeOffset, <see cref="ImmutableList{T}"/> and sorted maps. A
/// path is split at
/// its dots; a segment addresses a map by key and a list by number.
/// </summary>
internal static class Tree
{
    /// <summary>No values.</summary>
    public static Map Empty { get; } = Map.Empty.WithComparers(StringComparer.Ordinal);

    /// <summary>The segments of a path.</summary>
    public static ImmutableArray<string> Split(string path) => [.. path.Split('.')];

    /// <summary>A value as the tree holds it: lists and maps become immutable ones.</summary>
    public static object? From(object? value) => value switch
    {
        IReadOnlyDictionary<string, object?> map => Empty.AddRange(map.Select(pair => KeyValuePair.Create(pair.Key, From(pair.Value)))),
        byte[] or string => value,
        IEnumerable<object?> list => ImmutableList.CreateRange(list.Select(From)),
        _ => value,
    };

    /// <summary>The value at a path.</summary>
    public static bool TryGet(object? node, ReadOnlySpan<string> path, out object? value)
    {
        value = node;
        foreach (var segment in path)
        {
            if (value is Map map && map.TryGetValue(segment, out var member))
                value = member;
            else if (value is ImmutableList<object?> list && IndexIn(list, segment) is { } index)
                value = list[index];
            else
            {
                value = null;
                return false;
            }
        }
        return true;
    }

    /// <summary>
    /// The tree with a value at a path. What is not a map on its way is replaced by one. Observed, not documented: the number after the
    /// last
    /// element appends, and any other segment that is no element's number makes the list a map, whose keys are the numbers.
    /// </summary>
    public static object? With(object? node, ReadOnlySpan<string> path, object? value)
    {
        if (path.IsEmpty)
            return value;
        if (node is ImmutableList<object?> list && IndexIn(list, path[0]) is { } index)
            return list.SetItem(index, With(list[index], path[1..], value));
        if (node is ImmutableList<object?> full && path[0] == full.Count.ToString(CultureInfo.InvariantCulture))
            return full.Add(With(null, path[1..], value));
        var map = node switch
        {
            Map existing => existing,
            ImmutableList<object?> elements => Numbered(elements),
            _ => Empty,
        };
        return map.SetItem(path[0], With(map.GetValueOrDefault(path[0]), path[1..], value));
    }

    /// <summary>
    /// The tree without the value at a path; the elements of a list after it move up. What does not exist is not removed.
    /// </summary>
    public static object? Without(object? node, ReadOnlySpan<string> path)
    {
        if (node is Map map && map.TryGetValue(path[0], out var member))
            return path.Length == 1 ? map.Remove(path[0]) : map.SetItem(path[0], Without(member, path[1..]));
        if (node is ImmutableList<object?> list && IndexIn(list, path[0]) is { } index)
            return path.Length == 1 ? list.RemoveAt(index) : list.SetItem(index, Without(list[index], path[1..]));
        return node;
    }

    /// <summary>A hash of a whole tree, the same for equal values.</summary>
    public static ulong Hash(object? node)
    {
        switch (node)
        {
            case null: return 0x9E37;
            case Map map:
                var sum = 17UL;
                foreach (var (key, value) in map)
                    sum = Mix(sum, Mix(HashText(key), Hash(value)));
                return sum;
            case ImmutableList<object?> list:
                var ordered = 31UL;
                foreach (var value in list)
                    ordered = Mix(ordered, Hash(value));
                return ordered;
            case string text: return HashText(text);
            case byte[] bytes: return Mix(7, HashText(Convert.ToBase64String(bytes)));
            case bool truth: return truth ? 0xB001UL : 0xB000UL;
            case long number: return Mix(3, (ulong)number);
            default: return Mix(5, HashText(Convert.ToString(node, CultureInfo.InvariantCulture)!));
        }
    }

    /// <summary>Two hashes as one; the order matters.</summary>
    public static ulong Mix(ulong first, ulong second)
    {
        var mixed = (first ^ (second + 0x9E3779B97F4A7C15UL + (first << 12) + (first >> 4))) * 0xFF51AFD7ED558CCDUL;
        return mixed ^ (mixed >> 32);
    }

    private static ulong HashText(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var character in text)
            hash = (hash ^ character) * 1099511628211UL;
        return Mix(11, hash);
    }

    private static Map Numbered(ImmutableList<object?> list) =>
        Empty.AddRange(list.Select((value, i) => KeyValuePair.Create(i.ToString(CultureInfo.InvariantCulture), value)));

    /// <summary>Numbers have no sign and no leading zeros.</summary>
    private static int? IndexIn(ImmutableList<object?> list, string segment) =>
        int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < list.Count
        && (segment.Length == 1 || segment[0] != '0')
            ? index
            : null;
}
