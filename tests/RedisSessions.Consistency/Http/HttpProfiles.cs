using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Known;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http;

/// <summary>What browsers of a run ask for.</summary>
internal static class HttpProfiles
{
    /// <summary>What no known hole touches: whatever is found there is new.</summary>
    public static GeneratorProfile Clean { get; } = new()
    {
        Values = 10, Updates = 8, Commits = 2, Caught = 0, Waits = 1,
        Lists = 0, Literals = 0, Flash = 0, Lifetimes = 0, Rotation = 0, Login = 0, Logout = 0, Cancelled = 0, Throws = 0, All = 0,
        MaxWait = 20,
    };

    /// <summary>
    /// Whether no known hole touches a request: what plain code reads before an update is not compared later (T), so plain code and updates
    /// do not meet in one.
    /// </summary>
    public static bool IsClean(Request request) =>
        Triggers.IsHarmless(request)
        && (request.Steps.All(step => step.Op is Op.Update or Op.Wait) || request.Steps.All(step => step.Op != Op.Update));

    /// <summary>Whether a finding is one of a known hole that no request opens: a store that is slow for long (L).</summary>
    public static bool IsKnown(Finding finding) => finding.Code == Codes.RefusedWithoutConflict;

    /// <summary>Every operation.</summary>
    public static GeneratorProfile All { get; } = new();
}
