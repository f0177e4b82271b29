using Xunit;

namespace RedisSessions.TestServers;

/// <summary>
/// Every session id that a test's browser has had, and every text that came out of the code under test anywhere in this run: logs with their exceptions, what child processes
/// wrote, bodies and headers of responses, all instruments and spans of <c>RedisSessions</c> with their tags.
/// <c>[assembly: AssemblyFixture(typeof(Secrets))]</c> compares the two at the end.
/// </summary>
public sealed class Secrets : IAsyncLifetime
{
    private static readonly SecretSearch Search = new();
    private static TelemetryWatch? _watch;

    /// <summary>This is a secret.</summary>
    public static void Note(string? id) => Search.Note(id);

    /// <summary>This is none any more: the test itself has given it away.</summary>
    public static void GivenAway(string id) => Search.GivenAway(id);

    /// <summary>This came out. What has the shape of an id is kept; ids may become known later than the texts they are in.</summary>
    public static void Seen(string origin, string? text) => Search.Seen(origin, text);

    /// <summary>How many measurements and spans were looked at so far.</summary>
    public static (long Measurements, long Spans) Watched => (_watch?.Measurements ?? 0, _watch?.Spans ?? 0);

    public ValueTask InitializeAsync()
    {
        _watch = new TelemetryWatch(Search, "RedisSessions");
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _watch?.Dispose();
        var leaks = Search.Leaks();
        await Console.Error.WriteLineAsync($"SECRETS: {Search.Ids} session ids looked for in {Search.Texts} texts, {Watched.Measurements} measurements and {Watched.Spans} spans, found in {leaks.Count}");
        if (leaks.Count > 0)
            throw new InvalidOperationException($"Session ids came out in: {string.Join("; ", leaks)}");
    }
}
