using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>Makes a script smaller while its run still shows the same finding: fewer events, fewer requests, fewer steps.</summary>
internal static class ScriptShrinker
{
    // About what a request takes when nothing is slow: the requests after one that is left out begin when they did.
    private const long Usual = 8_000;

    public static Script Shrink(Script script, Scenario scenario, Func<RunResult, Finding, bool> wanted)
    {
        while (Smaller(script).FirstOrDefault(Shows) is { } smaller)
            script = smaller;
        return script;

        bool Shows(Script candidate)
        {
            var outcome = Simulator.Run(candidate, scenario);
            return outcome.Findings.Any(finding => wanted(outcome, finding));
        }
    }

    /// <summary>Scripts with something taken away, the largest pieces first.</summary>
    private static IEnumerable<Script> Smaller(Script script)
    {
        foreach (var (from, size) in Pieces(script.Events.Count))
            yield return script with { Events = Without(script.Events, from, size) };
        foreach (var (from, size) in Pieces(script.Requests.Count))
        {
            yield return script with { Requests = Without(script.Requests, from, size) };
            yield return script with { Requests = Waiting(script.Requests, from, size) };
        }

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

    private static IEnumerable<(int From, int Size)> Pieces(int count)
    {
        for (var size = Math.Max(count / 2, 1); size >= 1 && count > 0; size /= 2)
        {
            for (var from = 0; from < count; from += size)
                yield return (from, size);
        }
    }

    private static List<T> Without<T>(IReadOnlyList<T> all, int from, int size) => [.. all.Take(from), .. all.Skip(from + size)];

    /// <summary>Without some requests; their tabs wait for as long as they would have taken.</summary>
    private static List<PlannedRequest> Waiting(IReadOnlyList<PlannedRequest> all, int from, int size)
    {
        var rest = Without(all, from, size);
        foreach (var tab in all.Skip(from).Take(size).GroupBy(planned => (planned.Browser, planned.Tab)))
        {
            var next = rest.FindIndex(from, planned => (planned.Browser, planned.Tab) == tab.Key);
            if (next >= 0)
                rest[next] = rest[next] with { Think = rest[next].Think + tab.Sum(planned => planned.Think + Usual) };
        }

        return rest;
    }

    private static IEnumerable<IReadOnlyList<Step>> WithoutSteps(IReadOnlyList<Step> steps)
    {
        foreach (var (from, size) in Pieces(steps.Count))
            yield return Without(steps, from, size);
        foreach (var (place, step) in steps.Index())
        {
            foreach (var replacement in InPlaceOf(step))
                yield return [.. steps.Take(place), .. replacement, .. steps.Skip(place + 1)];
        }
    }

    /// <summary>What is less than a step: what is inside it, or the step with less inside.</summary>
    private static IEnumerable<IReadOnlyList<Step>> InPlaceOf(Step step)
    {
        if (step.Then is { } then)
        {
            if (step.Op is Op.Try or Op.IfHas or Op.IfEquals)
                yield return then;
            foreach (var inside in WithoutSteps(then))
                yield return [step with { Then = inside }];
        }

        if (step.Else is { } other)
        {
            yield return other;
            yield return [step with { Else = null }];
        }
    }
}
