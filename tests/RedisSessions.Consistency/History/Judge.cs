namespace RedisSessions.Consistency.History;

/// <summary>Judges a history by what is promised.</summary>
internal static class Judge
{
    /// <summary>What the history breaks; nothing when all is as promised.</summary>
    public static IReadOnlyList<Finding> Check(RunHistory history) =>
        [.. history.Observations.SelectMany(Answers)];

    private static IEnumerable<Finding> Answers(Observation observation) =>
        from segment in observation.Segments
        where segment.Fate == Scripts.Fate.Broken
        select new Finding("broken-answer", [observation.Request.Id], segment.Detail ?? "an answer that nothing promises");
}
