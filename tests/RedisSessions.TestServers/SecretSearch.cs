using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace RedisSessions.TestServers;

/// <summary>Ids on one side, texts on the other: whatever of the first is found in the second has leaked.</summary>
public sealed partial class SecretSearch
{
    // Ours, and those that are made for PHP.
    private const int IdLength = 43, PhpIdLength = 40, LongestRun = 300;
    private readonly ConcurrentDictionary<string, byte> _ids = new(StringComparer.Ordinal), _published = new(StringComparer.Ordinal), _shapes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _suspects = new(StringComparer.Ordinal);
    private long _texts;

    public int Ids => _ids.Count;

    public long Texts => Interlocked.Read(ref _texts);

    public void Note(string? id)
    {
        if (id is { Length: IdLength or PhpIdLength })
            _ids.TryAdd(id, 0);
    }

    public void GivenAway(string id) => _published.TryAdd(id, 0);

    public void Seen(string origin, string? text)
    {
        if (text is null)
            return;
        Interlocked.Increment(ref _texts);
        foreach (var run in PhpRun().EnumerateMatches(text))
        {
            foreach (var length in (int[])[IdLength, PhpIdLength])
            {
                for (var at = run.Index; at + length <= run.Index + Math.Min(run.Length, LongestRun); at++)
                    _suspects.TryAdd(text.Substring(at, length), origin);
            }
        }
    }

    /// <summary>Here nothing may even have the shape of an id, or of the hash of one.</summary>
    public void SeenWhereNoneMayBe(string origin, string? text)
    {
        if (text is not null && Run().IsMatch(text))
            _shapes.TryAdd(origin, 0);
    }

    /// <summary>Where ids came out.</summary>
    public IReadOnlyList<string> Leaks() =>
        [.. _suspects.Where(suspect => _ids.ContainsKey(suspect.Key) && !_published.ContainsKey(suspect.Key)).Select(suspect => suspect.Value)
            .Concat(_shapes.Keys).Distinct().Order(StringComparer.Ordinal)];

    [GeneratedRegex("[A-Za-z0-9_-]{43,}")]
    private static partial Regex Run();

    [GeneratedRegex("[A-Za-z0-9_-]{40,}")]
    private static partial Regex PhpRun();
}
