using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>Makes a script smaller while its run still shows the same finding: fewer events, fewer requests, fewer steps.</summary>
internal static class ScriptShrinker
{
    public static Script Shrink(Script script, Scenario scenario, Func<Finding, bool> wanted)
    {
        while (true)
        {
            var smaller = Smaller(script).FirstOrDefault(candidate => Simulator.Run(candidate, scenario).Findings.Any(wanted));
            if (smaller is null)
                return script;
            script = smaller;
        }
    }

    /// <summary>Scripts with something taken away, the largest pieces first.</summary>
    private static IEnumerable<Script> Smaller(Script script)
    {
        foreach (var events in Without(script.Events))
            yield return script with { Events = events };
        foreach (var requests in Without(script.Requests))
            yield return script with { Requests = requests };
        foreach (var (place, planned) in script.Requests.Index())
        {
            foreach (var steps in WithoutSteps(planned.Request.Steps))
            {
                PlannedRequest[] requests = [.. script.Requests];
                requests[place] = planned with { Request = planned.Request with { Steps = steps } };
                yield return script with { Requests = requests };
            }
        }
    }

    private static IEnumerable<IReadOnlyList<T>> Without<T>(IReadOnlyList<T> all)
    {
        for (var size = Math.Max(all.Count / 2, 1); size >= 1 && all.Count > 0; size /= 2)
        {
            for (var from = 0; from < all.Count; from += size)
                yield return [.. all.Take(from), .. all.Skip(from + size)];
        }
    }

    private static IEnumerable<IReadOnlyList<Step>> WithoutSteps(IReadOnlyList<Step> steps)
    {
        foreach (var fewer in Without(steps))
            yield return fewer;
        foreach (var (place, step) in steps.Index())
        {
            foreach (var inside in step.Then is { } then ? WithoutSteps(then) : [])
                yield return [.. steps.Take(place), step with { Then = inside }, .. steps.Skip(place + 1)];
            if (step.Else is not null)
                yield return [.. steps.Take(place), step with { Else = null }, .. steps.Skip(place + 1)];
        }
    }
}
