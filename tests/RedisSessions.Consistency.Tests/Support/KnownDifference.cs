using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Tests.Support;

/// <summary>Scripts on which the library is known to differ from the documentation, so that the others can be compared.</summary>
internal static class KnownDifference
{
    /// <summary>
    /// Whether a request undoes an end: a destroyed session that is discarded is stored empty, and one that a failed update destroyed stays
    /// closed.
    /// </summary>
    public static bool UndoesAnEnd(Request request) =>
        (request.Steps.Any(step => step.Op == Op.Discard) && request.Steps.SelectMany(Steps.All).Any(step => step.Op == Op.Destroy))
        || request.Steps
            .Any(step => step.Op is Op.Update or Op.CancelledUpdate && step.All().SkipWhile(inner => inner.Op != Op.Destroy).Count() > 1);
}
