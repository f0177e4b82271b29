using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Xunit;

namespace RedisSessions.TestServers;

/// <summary>
/// Every session id that a test's browser has had, and every text that came out of the code under test anywhere in this run: logs with their exceptions, what child processes
/// wrote, bodies and headers of responses. <c>[assembly: AssemblyFixture(typeof(Secrets))]</c> compares the two at the end.
/// </summary>
public sealed partial class Secrets : IAsyncLifetime
{
    private const int IdLength = 43, LongestRun = 300;
    private static readonly ConcurrentDictionary<string, byte> Ids = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, byte> Published = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, string> Suspects = new(StringComparer.Ordinal);
    private static long _texts;

    /// <summary>This is a secret.</summary>
    public static void Note(string? id)
    {
        if (id is { Length: IdLength })
            Ids.TryAdd(id, 0);
    }

    /// <summary>This is none any more: the test itself has given it away.</summary>
    public static void GivenAway(string id) => Published.TryAdd(id, 0);

    /// <summary>This came out. What has the shape of an id is kept; ids may become known later than the texts they are in.</summary>
    public static void Seen(string origin, string? text)
    {
        if (text is null)
            return;
        Interlocked.Increment(ref _texts);
        foreach (var run in Run().EnumerateMatches(text))
        {
            for (var at = run.Index; at + IdLength <= run.Index + Math.Min(run.Length, LongestRun); at++)
                Suspects.TryAdd(text.Substring(at, IdLength), origin);
        }
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        var leaks = Suspects.Where(suspect => Ids.ContainsKey(suspect.Key) && !Published.ContainsKey(suspect.Key)).Select(suspect => suspect.Value).Distinct().Order(StringComparer.Ordinal).ToList();
        await Console.Error.WriteLineAsync($"SECRETS: {Ids.Count} session ids looked for in {Interlocked.Read(ref _texts)} texts, found in {leaks.Count}");
        if (leaks.Count > 0)
            throw new InvalidOperationException($"Session ids came out in: {string.Join("; ", leaks)}");
    }

    [GeneratedRegex("[A-Za-z0-9_-]{43,}")]
    private static partial Regex Run();
}
