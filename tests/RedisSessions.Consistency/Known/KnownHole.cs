using System.Text.Json;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;
using RedisSessions.Consistency.Simulation;

namespace RedisSessions.Consistency.Known;

/// <summary>A promise that the library is known to break, until somebody closes the hole and removes the mark.</summary>
/// <param name="Letter">Its name, for example <c>A</c>.</param>
/// <param name="About">What is broken, in one sentence.</param>
/// <param name="Scenario">Where seeds find it.</param>
/// <param name="Codes">The findings that it explains.</param>
internal sealed record KnownHole(string Letter, string About, Scenario Scenario, params string[] Codes)
{
    /// <summary>What a request of the same browser must hold for the hole to explain a finding.</summary>
    public Func<Request, bool> Opens { get; init; } = static _ => true;

    /// <summary>How many of them there must be.</summary>
    public int AtLeast { get; init; } = 1;

    /// <summary>Another request that must be there as well.</summary>
    public Func<Request, bool> With { get; init; } = static _ => true;

    /// <summary>What must be true of the environment.</summary>
    public Func<Scenario, bool> In { get; init; } = static _ => true;

    /// <summary>The smallest script that was found, kept beside the list.</summary>
    public Script? Script
    {
        get
        {
            using var stream = typeof(KnownHole).Assembly.GetManifestResourceStream($"hole-{Letter}.json");
            return stream is null ? null : JsonSerializer.Deserialize<Script>(stream, Json.Options);
        }
    }

    /// <summary>Whether a finding is one of this hole's, and some request of its browser opens the hole.</summary>
    public bool Explains(RunResult run, Finding finding)
    {
        if (!Codes.Contains(finding.Code) || !In(Scenarios.Find(run.Script.Scenario)!))
            return false;
        var seen = run.History.Observations;
        // A look at the end is by an id that some browser was told.
        var browsers = seen.Where(one => finding.Requests.Contains(one.Request.Id))
            .SelectMany(one => seen.Where(other => other.NewCookie is { } told && told == one.Cookie).Append(one))
            .Select(one => one.Browser).ToHashSet();
        var requests = seen.Where(one => browsers.Contains(one.Browser)).Select(one => one.Request).ToList();
        return requests.Count(Opens) >= AtLeast && requests.Any(With);
    }
}
