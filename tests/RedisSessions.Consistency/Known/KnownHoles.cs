using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Simulation;

namespace RedisSessions.Consistency.Known;

/// <summary>The holes that are known and open.</summary>
internal static class KnownHoles
{
    public static IReadOnlyList<KnownHole> All { get; } = [];

    /// <summary>The hole that explains a finding.</summary>
    public static KnownHole? Of(RunResult outcome, Finding finding) => All.FirstOrDefault(hole => hole.Explains(outcome, finding));

    /// <summary>Whether a finding is known.</summary>
    public static bool Excuse(RunResult outcome, Finding finding) => Of(outcome, finding) is not null;
}
