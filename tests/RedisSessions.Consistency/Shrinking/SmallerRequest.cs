using System.Collections.Immutable;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Shrinking;

/// <summary>Requests that are a little smaller than a given one.</summary>
internal static class SmallerRequest
{
    /// <summary>All of them, those that remove most first.</summary>
    public static IEnumerable<Request> Of(Request request) => Lists(request.Steps).Select(steps => request with { Steps = steps });

    /// <summary>How large a step is: what makes it smaller makes a shrunk plan.</summary>
    public static int Size(Step step) =>
        3 + (step.Then ?? []).Sum(Size) + (step.Else ?? []).Sum(Size) + (step.Else is null ? 0 : 1) + (IsSimple(step.Value) ? 0 : 1);

    private static IEnumerable<IReadOnlyList<Step>> Lists(IReadOnlyList<Step> steps)
    {
        var list = steps.ToImmutableList();
        for (var i = 0; i < list.Count; i++)
            yield return list.RemoveAt(i);
        for (var i = 0; i < list.Count; i++)
        {
            foreach (var replacement in Of(list[i]))
                yield return list.RemoveAt(i).InsertRange(i, replacement);
        }
    }

    /// <summary>What can stand in a step's place: the steps inside it, or the step with less inside.</summary>
    private static IEnumerable<IReadOnlyList<Step>> Of(Step step)
    {
        if (step.Then is { } then)
        {
            yield return then;
            foreach (var smaller in Lists(then))
                yield return [step with { Then = smaller }];
        }
        if (step.Else is { } other)
        {
            yield return [step with { Else = null }];
            foreach (var smaller in Lists(other))
                yield return [step with { Else = smaller }];
        }
        if (!IsSimple(step.Value))
            yield return [step with { Value = "1" }];
    }

    private static bool IsSimple(string? value) => value is null or "1";
}
