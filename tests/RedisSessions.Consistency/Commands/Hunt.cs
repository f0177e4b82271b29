using System.Diagnostics;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Simulation;

namespace RedisSessions.Consistency.Commands;

/// <summary>Tries seeds of a scenario one after another.</summary>
internal static class Hunt
{
    /// <summary>The first seed whose run has a finding that is wanted.</summary>
    /// <param name="scenario">What is run.</param>
    /// <param name="first">The first seed.</param>
    /// <param name="count">How many seeds at most.</param>
    /// <param name="limit">How long at most.</param>
    /// <param name="wanted">Which findings count.</param>
    public static Catch ForFirst(Scenario scenario, long first, long count, TimeSpan limit, Func<RunResult, Finding, bool> wanted)
    {
        var started = Stopwatch.GetTimestamp();
        for (var tried = 1; ; tried++)
        {
            var outcome = Simulator.Run(scenario.Plan(first + tried - 1), scenario);
            var found = outcome.Findings.Where(finding => wanted(outcome, finding)).ToList();
            var elapsed = Stopwatch.GetElapsedTime(started);
            if (found.Count > 0)
                return new Catch(outcome, found, tried, elapsed);
            if (tried >= count || elapsed >= limit)
                return new Catch(null, [], tried, elapsed);
        }
    }
}

/// <summary>What a hunt has come back with.</summary>
/// <param name="Result">The run; null when no seed has shown anything.</param>
/// <param name="Findings">What was wanted in it.</param>
/// <param name="Tried">How many seeds were tried.</param>
/// <param name="Elapsed">How long it took.</param>
internal sealed record Catch(RunResult? Result, IReadOnlyList<Finding> Findings, int Tried, TimeSpan Elapsed);
