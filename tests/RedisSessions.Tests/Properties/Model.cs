using System.Globalization;
using RedisSessions.Tests.Values;

namespace RedisSessions.Tests.Properties;

/// <summary>A value of the model: a map, a list, or something else.</summary>
internal sealed class Node
{
    public Dictionary<string, Node>? Map { get; set; }

    public List<Node>? List { get; set; }

    public object? Scalar { get; private init; }

    public static Node From(object? value) => value switch
    {
        IReadOnlyDictionary<string, object?> map => new Node { Map = map.ToDictionary(pair => pair.Key, pair => From(pair.Value)) },
        object?[] list => new Node { List = [.. list.Select(From)] },
        _ => new Node { Scalar = value },
    };

    public object? ToObject() =>
        Map?.ToDictionary(pair => pair.Key, pair => pair.Value.ToObject()) ?? (object?)List?.ConvertAll(node => node.ToObject()) ?? Scalar;

    public Node? Child(string segment) => Map is not null
        ? Map.GetValueOrDefault(segment)
        : List is not null && Index(segment) is { } index && index < List.Count ? List[index] : null;

    public void Put(string segment, Node child)
    {
        if (List is not null && Index(segment) is { } index && index <= List.Count)
        {
            if (index == List.Count)
                List.Add(child);
            else
                List[index] = child;
            return;
        }

        Map ??= List?.Select((node, i) => (node, i)).ToDictionary(pair => pair.i.ToString(CultureInfo.InvariantCulture), pair => pair.node) ?? [];
        List = null;
        Map[segment] = child;
    }

    public bool Drop(string segment)
    {
        if (Map is not null)
            return Map.Remove(segment);
        if (Child(segment) is null)
            return false;
        List!.RemoveAt(Index(segment)!.Value);
        return true;
    }

    private static int? Index(string segment) =>
        int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && (segment == "0" || segment[0] != '0') ? index : null;
}

/// <summary>A session as anybody would write it down: nested dictionaries and lists, one obvious line per rule.</summary>
internal sealed class Model
{
    public Node Root { get; } = new() { Map = [] };

    public static Model From((string Key, object? Value)[] values)
    {
        var model = new Model();
        foreach (var (key, value) in values)
            model.Set(key, Node.From(value));
        return model;
    }

    public string Text() => Given.Text(Root.ToObject());

    public Node? Find(string key) => key.Split('.').Aggregate((Node?)Root, (node, segment) => node?.Child(segment));

    public void Set(string key, Node value)
    {
        var segments = key.Split('.');
        var node = Root;
        foreach (var segment in segments[..^1])
        {
            if (node.Child(segment) is not { } child || (child.Map is null && child.List is null))
                node.Put(segment, child = new Node { Map = [] });
            node = child;
        }

        node.Put(segments[^1], value);
    }

    public bool Remove(string key)
    {
        var dot = key.LastIndexOf('.');
        return (dot < 0 ? Root : Find(key[..dot]))?.Drop(key[(dot + 1)..]) ?? false;
    }

    public long? Increment(string key, long by)
    {
        var old = Find(key);
        if (old is not null && (old.Map is not null || old.List is not null || old.Scalar is not (long or null)))
            return null;
        var sum = (Int128)(old?.Scalar as long? ?? 0) + by;
        if (sum < long.MinValue || sum > long.MaxValue)
            return null;
        Set(key, Node.From((long)sum));
        return (long)sum;
    }

    public bool Push(string key, Node value, bool first)
    {
        var list = Find(key);
        if (list is null or { Map: null, List: null, Scalar: null })
            Set(key, list = new Node { List = [] });
        if (list.List is null)
            return false;
        list.List.Insert(first ? 0 : list.List.Count, value);
        return true;
    }
}
