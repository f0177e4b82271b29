using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>All kinds of run, by name.</summary>
internal static class Scenarios
{
    /// <summary>All operations, a lossy network, kills and outages.</summary>
    public static Scenario General { get; } = new("general", "All operations, a lossy network, kills and outages.")
    {
        Faults = FaultWeights.Lossy,
        Browsers = 2,
        Processes = 3,
        Exclusive = 5,
        LongPauses = 5,
        Events = [(EventKind.Kill, 1, 0), (EventKind.Outage, 1, 0), (EventKind.Full, 1, 0)],
    };

    public static IReadOnlyList<Scenario> All { get; } = [General];
}
