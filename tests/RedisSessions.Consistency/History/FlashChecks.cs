using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>Of several requests that pull one flashed value, one gets it.</summary>
internal static class FlashChecks
{
    /// <summary>Values that were flashed once, and pulled by more than one request that was acknowledged.</summary>
    public static IEnumerable<Finding> Check(Lineage lineage, Rules rules)
    {
        if (rules.LastWriteWins || rules.MayLoseAcknowledged)
            yield break;
        var written = lineage.Members.SelectMany(member => member.Request.Steps.SelectMany(Steps.All))
            .Where(step => step.Value is not null).GroupBy(step => Json.Canonical(step.Value!)).Where(group => group.Count() == 1);
        foreach (var flash in written.Select(group => group.First()).Where(step => step.Op == Op.Flash))
        {
            string[] pullers = [.. from member in lineage.Members
                                   from segment in member.Segments
                                   where segment.IsStored() && segment.Steps.Any(executed => Pulls(executed, flash))
                                   select member.Request.Id];
            if (pullers.Length > 1)
                yield return new Finding(Codes.FlashPulledTwice, pullers,
                    $"each of them pulled {flash.Value} from {flash.Path}, which was flashed once");
        }
    }

    private static bool Pulls(Executed executed, Step flash) =>
        executed.Step.Op == Op.Pull && executed.Step.Path == flash.Path && executed.Answer == Json.Canonical(flash.Value!);
}
