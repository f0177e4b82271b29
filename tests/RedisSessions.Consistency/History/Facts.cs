using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>Simple facts about requests as they were observed.</summary>
internal static class Facts
{
    /// <summary>Whether nothing is known but what was asked: any part of it may have happened, or happen still.</summary>
    public static bool IsUnobserved(this Observation observation) =>
        observation.Ended == long.MaxValue && observation.Segments.All(segment => segment is { Fate: Fate.NoAnswer, Steps.Count: 0 });

    /// <summary>Whether a transaction was acknowledged.</summary>
    public static bool IsStored(this Segment segment) => segment.Fate == Fate.Committed;

    /// <summary>Whether a transaction may be stored, now or later.</summary>
    public static bool IsUncertain(this Segment segment) => segment.Fate is Fate.Unknown or Fate.NoAnswer or Fate.Broken;

    /// <summary>Whether a step was executed and not refused.</summary>
    public static bool Succeeded(this Executed executed) => !Fates.IsRefusal(executed.Answer);

    /// <summary>Whether a transaction changes something, or would.</summary>
    public static bool Writes(this Segment segment) => segment.Steps.Any(executed => executed.Step.Writes() && executed.Succeeded());

    /// <summary>Whether an acknowledged or uncertain transaction of a request did something.</summary>
    public static bool Did(this Observation observation, Op op) =>
        observation.Segments.Any(segment => (segment.IsStored() || segment.IsUncertain()) && segment.Does(op));

    /// <summary>Whether an acknowledged transaction of a request did something.</summary>
    public static bool DidForSure(this Observation observation, Op op) => observation.Segments
        .Any(segment => segment.IsStored() && segment.Does(op));

    /// <summary>Whether a request did something, or may have.</summary>
    public static bool MayHaveDone(this Observation observation, Op op) =>
        observation.Did(op) || (observation.IsUnobserved() && observation.Request.Steps.SelectMany(Steps.All).Any(step => step.Op == op));

    /// <summary>The transactions of a request, steps and all.</summary>
    public static IEnumerable<Executed> Executed(this Observation observation) => observation.Segments.SelectMany(segment => segment.Steps);

    private static bool Does(this Segment segment, Op op) => segment.Steps.Any(executed => executed.Step.Op == op && executed.Succeeded());
}
