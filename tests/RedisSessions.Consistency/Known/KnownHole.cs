using System.Text.Json;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;
using RedisSessions.Consistency.Simulation;

namespace RedisSessions.Consistency.Known;

/// <summary>A promise that the library is known to break, until somebody closes the hole and removes the mark.</summary>
/// <param name="Letter">Its name, for example <c>A</c>.</param>
/// <param name="About">What is broken, in one sentence.</param>
/// <param name="Scenario">Where seeds find it.</param>
/// <param name="Code">The finding that shows it.</param>
/// <param name="Trigger">What a script must hold for the hole to explain such a finding.</param>
internal sealed record KnownHole(string Letter, string About, Scenario Scenario, string Code, Func<RunResult, Finding, bool> Trigger)
{
    /// <summary>The smallest script that was found, kept beside the list.</summary>
    public Script? Script
    {
        get
        {
            using var stream = typeof(KnownHole).Assembly.GetManifestResourceStream($"hole-{Letter}.json");
            return stream is null ? null : JsonSerializer.Deserialize<Script>(stream, Json.Options);
        }
    }

    public bool Explains(RunResult outcome, Finding finding) => finding.Code == Code && Trigger(outcome, finding);
}
