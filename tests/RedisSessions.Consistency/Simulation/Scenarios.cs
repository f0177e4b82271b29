using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Known;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>All kinds of run, by name: a general one, those that no known hole touches, and those that look where holes are.</summary>
internal static class Scenarios
{
    /// <summary>All operations and all that a network and processes do.</summary>
    public static Scenario General { get; } = new("general", "All operations, a lossy network, kills, outages, a full store.")
    {
        Faults = FaultWeights.Lossy,
        Browsers = 2,
        Processes = 3,
        Exclusive = 5,
        LongPauses = 5,
        Events = Trouble,
    };

    /// <summary>What no known hole touches: whatever is found there is new.</summary>
    public static IReadOnlyList<Scenario> Clean { get; } =
    [
        new("values", "Values, updates and early commits over a lossy network, with kills and outages.")
        {
            Requests = Profiles.Values,
            Accepts = Triggers.IsHarmless,
            Faults = FaultWeights.Lossy,
            Processes = 3,
            LongPauses = 3,
            Events = Trouble,
        },
        new("exclusive", "Exclusive requests beside optimistic ones, with lost messages and kills.")
        {
            Requests = Profiles.Values,
            Accepts = Triggers.IsHarmless,
            Faults = FaultWeights.Lossy,
            Exclusive = 70,
            Events = [(EventKind.Kill, 1, 0)],
        },
        new("last-write-wins", "Plain code with LastWriteWins.")
        {
            Requests = Profiles.Values with { Updates = 0 },
            Accepts = Triggers.IsHarmless,
            Faults = FaultWeights.Lossy,
            Configure = static options => options.OnConflict = ConflictBehavior.LastWriteWins,
            Rules = new Rules { LastWriteWins = true },
        },
        new("logout", "Sessions that end while others write; nobody logs in.")
        {
            Requests = Profiles.Values with { Logout = 2 },
            Accepts = Triggers.IsHarmlessBesideAnEnd,
            Faults = FaultWeights.Lossy,
            Tabs = 4,
            Events = Trouble,
        },
        new("login", "Sessions that get a new id while others write; nobody logs out.")
        {
            Requests = Profiles.Values with { Login = 2, Rotation = 1 },
            Accepts = Triggers.IsHarmlessBesideAnEnd,
            // Shorter than the grace of a rotation.
            Faults = FaultWeights.Lossy with { LongestDelay = 25_000 },
            Tabs = 4,
            Events = Trouble,
        },
        new("lifetimes", "Lifetimes that change while others write and log out.")
        {
            Requests = Profiles.Values with { Lifetimes = 4, Logout = 1 },
            Accepts = Triggers.IsHarmlessBesideAnEnd,
            Faults = FaultWeights.Lossy,
            Tabs = 4,
        },
        new("expiry", "Sessions that end because nobody uses them, while requests are under way.")
        {
            Requests = Profiles.Values with { Waits = 6, MaxWait = 4_000 },
            Accepts = Triggers.IsHarmless,
            Faults = new() { Slow = 0.1 },
            LongPauses = 30,
            LongestPause = 8_000,
            Configure = static options => options.IdleTimeout = TimeSpan.FromSeconds(5),
            Rules = new Rules { IdleTimeout = TimeSpan.FromSeconds(5) },
        },
        new("encrypted", "Many commits at once of encrypted payloads.")
        {
            Requests = Profiles.Values,
            Accepts = Triggers.IsHarmless,
            Faults = FaultWeights.Lossy,
            IsProtected = true,
            Processes = 1,
            Tabs = 6,
        },
        new("too-large", "Many commits at once in one process, some of them too large.")
        {
            Requests = Profiles.Values with { Lists = 8, Throws = 4 },
            Accepts = Triggers.IsHarmless,
            Processes = 1,
            Tabs = 10,
            Length = 3,
            Configure = static options => options.MaxSize = 1024,
        },
        new("moves", "The handler is exchanged, and back, and nothing else happens.")
        {
            Requests = Profiles.Values, Accepts = Triggers.IsHarmless, IsMoved = true, LongPauses = 10, Events = [(EventKind.Switch, 3, 0)],
        },
        new("near-cache", "A near cache in one process.")
        {
            Requests = Profiles.Values,
            Accepts = Triggers.IsHarmless,
            Processes = 1,
            Configure = static options => options.NearCache.MaxStaleness = TimeSpan.FromSeconds(2),
            Rules = new Rules { Staleness = TimeSpan.FromSeconds(2) },
        },
        new("failover", "A primary that is cut off from its replica, and fails: hole D was here.")
        {
            Requests = Profiles.Nothing with { Values = 10, Waits = 8, MaxWait = 2_500, Keys = 2, MaxSteps = 3 },
            Accepts = Triggers.IsHarmless,
            Faults = new() { Slow = 0.2, SlowArrival = 0.2 },
            HasReplica = true,
            Tabs = 5,
            Events = [(EventKind.FailOver, 3, 1_500)],
        },
        new("replica", "Commits that count when a replica has them, and no failover.")
        {
            Requests = Profiles.Values, Accepts = Triggers.IsHarmless, Faults = FaultWeights.Lossy, HasReplica = true,
        },
    ];

    public static IReadOnlyList<Scenario> All { get; } = [General, .. Clean, .. HoleScenarios.All];

    private static (EventKind, int, int)[] Trouble => [(EventKind.Kill, 1, 0), (EventKind.Outage, 1, 0), (EventKind.Full, 1, 0)];

    public static Scenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);
}
