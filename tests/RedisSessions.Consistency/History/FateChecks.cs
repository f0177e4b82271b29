using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>
/// Whether each answer is one that is promised: conflicts only for a reason, ends only where somebody ended, failures only where something
/// failed.
/// </summary>
internal sealed class FateChecks(Lineage lineage, RunHistory history)
{
    private readonly bool _isFlashUsed = lineage.Members.Any(member => member.MayHaveDone(Op.Flash));

    /// <summary>Answers that nothing promises, of any request.</summary>
    public static IEnumerable<Finding> Any(RunHistory history)
    {
        foreach (var observation in history.Observations)
        {
            foreach (var broken in observation.Segments.Where(segment => segment.Fate == Fate.Broken))
                yield return new Finding(Codes.BrokenAnswer, [observation.Request.Id], broken.Detail ?? "an answer that nothing promises");
            var isKilled = history.Events
                .Any(happened => happened.What.StartsWith("kill", StringComparison.Ordinal) && happened.At >= observation.Began);
            if ((observation.Ended == long.MaxValue || observation.Segments.Any(segment => segment.Fate == Fate.NoAnswer)) && !isKilled)
                yield return new Finding(Codes.NeverAnswered, [observation.Request.Id], "it never ended, and nobody killed its process");
            if (!history.Rules.StoreMayFail && observation.Segments.FirstOrDefault(segment => segment.Fate == Fate.Unknown) is { } failed)
                yield return Failed(observation, failed);
        }
    }

    /// <summary>Refusals of this session's requests.</summary>
    public IEnumerable<Finding> Check()
    {
        foreach (var member in lineage.Members)
        {
            for (var i = 0; i < member.Segments.Count; i++)
            {
                var segment = member.Segments[i];
                if (segment.Fate == Fate.Refused && !(segment.WithNext && i + 1 < member.Segments.Count) && !MayConflict(member, i))
                    yield return new Finding(Codes.RefusedWithoutConflict, [member.Request.Id],
                        $"refused for {segment.Detail ?? "no path"}, and nobody changed what it had read meanwhile");
                if (segment.Fate == Fate.Ended && !MayHaveEnded(member))
                    yield return new Finding(Codes.EndedWithoutEnd, [member.Request.Id],
                        "its session is said to have ended, and nobody has ended it");
            }
        }
    }

    private static Finding Failed(Observation observation, Segment failed)
    {
        var before = observation.Segments.TakeWhile(segment => segment != failed);
        var isCancelled = before.Append(failed)
            .Any(segment => segment.Steps.Any(executed => executed is { Step.Op: Op.CancelledCommit, Answer: "!Cancelled" })
            || (segment is { IsUpdate: true, Fate: Fate.Abandoned }
                && observation.Request.Steps.Any(step => step.Op == Op.CancelledUpdate)));
        return new Finding(isCancelled ? Codes.CancellationPoisons : Codes.FailedWithoutFault, [observation.Request.Id],
            (isCancelled ? "after a commit that was cancelled before it was sent: " : "the store did not fail: ") + failed.Detail);
    }

    private bool MayConflict(Observation request, int segment)
    {
        // Whoever lost a lease is refused whatever was changed.
        if (request.Request.Access == SessionAccess.Exclusive || (history.Rules.MayLoseAcknowledged && history.Events.Count > 0))
            return true;
        var sensitive = Touched.Sensitive(request.Segments.Take(segment + 1).SelectMany(part => part.Steps));
        if (sensitive.Count > 0
            && request.Segments.Take(segment + 1).SelectMany(part => part.Steps)
            .Any(executed => executed.Step.Op is Op.Rotate or Op.Login or Op.Destroy))
            return lineage.Members.Any(other => other != request && IsBeside(request, other));
        return lineage.Members.Any(other => other != request && IsBeside(request, other) && Touched.Meet(sensitive, Changed(other)));
    }

    private bool IsBeside(Observation request, Observation other) =>
        other.Began <= request.Ended
            && (other.Ended >= request.Began || history.Rules.Staleness > TimeSpan.Zero || other.Segments.Any(Facts.IsUncertain));

    private HashSet<string> Changed(Observation other)
    {
        var steps = other.IsUnobserved()
            ? other.Request.Steps.SelectMany(Steps.All)
            : other.Segments.Where(segment => segment.IsStored() || segment.IsUncertain()).SelectMany(segment => segment.Steps)
                .Select(executed => executed.Step);
        var keys = steps.Where(Steps.Writes).Select(Touched.TopOf).ToHashSet(StringComparer.Ordinal);
        if (_isFlashUsed)
            keys.UnionWith(
                lineage.Members.SelectMany(member => member.Request.Steps.SelectMany(Steps.All)).Where(step => step.Op == Op.Flash)
                .Select(Touched.TopOf));
        return keys;
    }

    private bool MayHaveEnded(Observation request) => request.WasNew == true || history.Rules.MayLoseAcknowledged
        || lineage.Members
            .Any(other => other.Began <= request.Ended
            && (other.MayHaveDone(Op.Destroy) || other.MayHaveDone(Op.Login) || other.MayHaveDone(Op.Rotate)))
        || new Lifetimes(lineage, history).MayHaveEnded(request);
}
