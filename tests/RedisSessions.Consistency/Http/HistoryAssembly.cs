using System.Text.Json;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Wire;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http;

/// <summary>Joins what browsers saw with what processes wrote down: the observations of a history.</summary>
internal static class HistoryAssembly
{
    public static IReadOnlyList<Observation> Join(IEnumerable<Sent> sent, IEnumerable<string> witnesses)
    {
        var byId = new Dictionary<string, Witnessed>(StringComparer.Ordinal);
        foreach (var line in witnesses.SelectMany(File.ReadLines))
        {
            if (Read(line) is { } witnessed)
                byId[witnessed.Id] = witnessed;
        }

        // What got no answer and reached no endpoint, in a process that is gone or still there, did nothing.
        return
        [
            .. sent.Where(request => request.Status is not null || byId.ContainsKey(request.Request.Id)).OrderBy(request => request.Began)
                .Select(request => Observe(request, byId.GetValueOrDefault(request.Request.Id))),
        ];
    }

    /// <summary>The last line of a process that was killed may be torn.</summary>
    private static Witnessed? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<Witnessed>(line, Json.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static Observation Observe(Sent sent, Witnessed? witnessed)
    {
        List<Segment> segments = [.. witnessed?.Done ?? []];
        var (fate, detail) = FateOf(sent);
        if (fate == Fate.Broken)
            detail = witnessed?.Thrown ?? detail;
        if (witnessed is { Open: { } open })
            segments.Add(new Segment(open, fate, detail));
        else if (witnessed is { Done: null })
            segments.Add(new Segment([], fate, detail ?? "the process ended while the endpoint ran"));
        else if (witnessed is null && fate == Fate.Broken)
            segments.Add(new Segment([], fate, detail));
        return new Observation(
            sent.Request, sent.Browser, sent.Process, sent.Cookie, sent.Began, sent.Ended, witnessed?.WasNew, segments, sent.Answer,
            sent.NewCookie)
        {
            ClockOffset = sent.ClockOffset,
            At = sent.At,
        };
    }

    /// <summary>What the status says of the last transaction.</summary>
    private static (Fate Fate, string? Detail) FateOf(Sent sent) => sent.Status switch
    {
        null => (Fate.NoAnswer, null),
        200 => (Fate.Committed, null),
        409 when sent.Body.Contains("urn:redis-sessions:ended", StringComparison.Ordinal) => (Fate.Ended, null),
        409 when sent.Body.Contains("urn:redis-sessions:conflict", StringComparison.Ordinal) => (Fate.Refused, null),
        // Nothing is stored of what is too large.
        413 when sent.Body.Contains("urn:redis-sessions:too-large", StringComparison.Ordinal) => (Fate.Abandoned, "too large"),
        503 when sent.Body.Contains("urn:redis-sessions:", StringComparison.Ordinal) => (Fate.Unknown, null),
        var status => (Fate.Broken, FormattableString.Invariant($"{status}: {sent.Body}")),
    };
}
