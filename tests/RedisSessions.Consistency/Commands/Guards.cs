using RedisSessions.Consistency.Simulation;

namespace RedisSessions.Consistency.Commands;

/// <summary>Stores and handlers with a bug, which must be found: else an empty list of findings says nothing.</summary>
internal static class Guards
{
    private static readonly FaultWeights Repeating = FaultWeights.Lossy with { Repeat = 0.2, LoseAnswer = 0.1 };

    /// <summary>Each bug with a scenario that shows nothing when the store is right.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        With(StoreBug.OverwritesAnyVersion, "values", FaultWeights.Lossy),
        With(StoreBug.ComparesCountsOnly, "failover", new() { Slow = 0.2 }),
        With(StoreBug.CreateOverwrites, "values", Repeating),
        With(StoreBug.UpdateCreates, "logout", FaultWeights.Lossy),
        With(StoreBug.ForgetsCommitIds, "values", Repeating),
        With(StoreBug.DeletesInsteadOfClosing, "login", FaultWeights.Lossy),
        With(StoreBug.StaleRead, "values", FaultWeights.Lossy),
        With(StoreBug.AcknowledgesAndDrops, "values", FaultWeights.Lossy),
        With(StoreBug.TakesConflictForSuccess, "values", Repeating),
        With(StoreBug.StoresWhatItRefuses, "values", FaultWeights.Lossy),
        With(StoreBug.MixesKeys, "values", FaultWeights.Lossy),
        With(StoreBug.Resurrects, "logout", FaultWeights.Lossy),
    ];

    private static Scenario With(StoreBug bug, string name, FaultWeights faults) =>
        Scenarios.Find(name)! with { Bug = bug, Faults = faults, Browsers = 2 };
}
