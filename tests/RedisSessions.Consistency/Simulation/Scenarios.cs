using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>All kinds of run, by name: a general one, those that no known hole touches, and those that look where holes are.</summary>
internal static class Scenarios
{
    private static readonly GeneratorProfile Nothing = new()
    {
        Values = 0, Lists = 0, Literals = 0, Flash = 0, Lifetimes = 0, Rotation = 0, Login = 0, Logout = 0, Updates = 0, Commits = 0, Cancelled = 0,
        Caught = 0, Throws = 0, Waits = 0, All = 0,
    };

    private static readonly FaultWeights Slow = new() { Slow = 0.2, SlowArrival = 0.2 };

    /// <summary>All operations and all that a network and processes do.</summary>
    public static Scenario General { get; } = new("general", "All operations, a lossy network, kills, outages, a full store.")
    {
        Faults = FaultWeights.Lossy,
        Browsers = 2,
        Processes = 3,
        Exclusive = 5,
        LongPauses = 5,
        Events = [(EventKind.Kill, 1, 0), (EventKind.Outage, 1, 0), (EventKind.Full, 1, 0)],
    };

    /// <summary>What no known hole touches: whatever is found there is new.</summary>
    public static IReadOnlyList<Scenario> Clean { get; } =
    [
        new("values", "Values, updates and early commits over a lossy network, with kills and outages.")
        {
            Requests = Nothing with { Values = 10, Updates = 8, Commits = 2, Caught = 1, Waits = 2, All = 1 },
            Faults = FaultWeights.Lossy,
            Processes = 3,
            LongPauses = 3,
            Events = [(EventKind.Kill, 1, 0), (EventKind.Outage, 1, 0), (EventKind.Full, 1, 0)],
        },
        new("exclusive", "Exclusive requests beside optimistic ones, with lost messages and kills.")
        {
            Requests = Nothing with { Values = 10, Updates = 4, Commits = 2, Waits = 3 },
            Faults = FaultWeights.Lossy,
            Exclusive = 70,
            Events = [(EventKind.Kill, 1, 0)],
        },
        new("last-write-wins", "The same values with LastWriteWins.")
        {
            Requests = Nothing with { Values = 10, Updates = 8, Commits = 2, Waits = 2 },
            Faults = FaultWeights.Lossy,
            Configure = static options => options.OnConflict = ConflictBehavior.LastWriteWins,
            Rules = new Rules { LastWriteWins = true },
        },
        new("logout", "Sessions that end while others write; nobody logs in.")
        {
            Requests = Nothing with { Values = 10, Logout = 2, Waits = 2, Updates = 2 },
            Faults = FaultWeights.Lossy,
            Tabs = 4,
            Events = [(EventKind.Kill, 1, 0)],
        },
        new("login", "Sessions that get a new id while others write; nobody logs out.")
        {
            Requests = Nothing with { Values = 10, Login = 2, Waits = 2, Updates = 2 },
            Faults = FaultWeights.Lossy,
            Tabs = 4,
            Events = [(EventKind.Kill, 1, 0)],
        },
        new("moves", "The handler is exchanged, and back, and nothing else happens.")
        {
            Requests = Nothing with { Values = 10, Updates = 2, MaxSteps = 4 },
            IsMoved = true,
            LongPauses = 10,
            Events = [(EventKind.Switch, 3, 0)],
        },
        new("near-cache", "A near cache over a network that brings everything soon; a tab stays with its process.")
        {
            Requests = Nothing with { Values = 10, Updates = 4, MaxSteps = 4 },
            Processes = 1,
            Configure = static options => options.NearCache.MaxStaleness = TimeSpan.FromSeconds(2),
            Rules = new Rules { Staleness = TimeSpan.FromSeconds(2) },
        },
    ];

    /// <summary>Where a hole is known or was: the profile and the faults lean towards it, and the seed finds it.</summary>
    public static IReadOnlyList<Scenario> Focused { get; } =
    [
        new("hole-a", "Lists by number inside updates.")
        {
            Requests = Nothing with { Values = 1, Lists = 10, Updates = 20, Caught = 2, MaxSteps = 2, Keys = 1 }, Faults = Slow, Tabs = 4,
        },
        new("hole-a-literals", "Literal keys that have the text of a path, inside updates.")
        {
            Requests = Nothing with { Values = 6, Literals = 6, Updates = 20, MaxSteps = 2, Keys = 1 }, Faults = Slow, Tabs = 4,
        },
        new("hole-b", "Flash data.")
        {
            Requests = Nothing with { Flash = 10, Updates = 4, Values = 1, MaxSteps = 3, Keys = 1 }, Faults = Slow, Tabs = 4,
        },
        new("hole-c", "Updates that change the id, a lifetime or the end only.")
        {
            Requests = Nothing with { Values = 5, Lifetimes = 8, Login = 2, Logout = 1, Updates = 20, MaxSteps = 1, Keys = 1 }, Faults = Slow, Tabs = 4,
        },
        new("hole-d", "A primary that is ahead of its replica, and fails.")
        {
            Requests = Nothing with { Values = 10, Waits = 6, MaxWait = 2_000, Keys = 2, MaxSteps = 4 },
            Faults = Slow,
            HasReplica = true,
            Tabs = 4,
            Events = [(EventKind.Lag, 3, 2_000), (EventKind.FailOver, 3, 0)],
        },
        new("hole-e", "Logins and logouts at the same time.")
        {
            Requests = Nothing with { Values = 4, Login = 4, Logout = 4, MaxSteps = 2 }, Faults = Slow, Tabs = 3, Length = 2,
        },
        new("hole-f", "The handler is exchanged, and back, while messages are lost, processes die and stores are away.")
        {
            Requests = Nothing with { Values = 10, Login = 1, Rotation = 1, Logout = 1, MaxSteps = 3 },
            Faults = FaultWeights.Lossy,
            IsMoved = true,
            LongPauses = 10,
            Events = [(EventKind.Switch, 3, 0), (EventKind.SwitchAbruptly, 1, 0), (EventKind.Outage, 2, 0), (EventKind.Kill, 2, 0)],
        },
        new("hole-h", "Clocks that are 45 and 150 seconds apart.")
        {
            Requests = Nothing with { Values = 6, Rotation = 2, Login = 1, MaxSteps = 3 },
            Faults = Slow,
            ClockOffsets = [0, 45_000, 150_000],
            Processes = 3,
        },
        new("hole-i", "Many rotations within the grace.")
        {
            Requests = Nothing with { Values = 3, Rotation = 6, MaxSteps = 2 },
            Faults = new() { SlowArrival = 0.1, LongestArrival = 2_000 },
            Tabs = 2,
            Length = 16,
        },
        new("hole-j", "Many commits at once in one process, while the key ring cannot be read now and then.")
        {
            Requests = Nothing with { Values = 6, Lists = 4, Flash = 2, Literals = 1, Updates = 6, Caught = 4, Throws = 6, Keys = 2 },
            Faults = Slow with { KeyRing = 0.02 },
            IsProtected = true,
            Processes = 1,
            Tabs = 10,
            Length = 3,
        },
        new("too-large", "Many commits at once in one process, some of them too large or refused.")
        {
            Requests = Nothing with { Values = 6, Lists = 4, Flash = 2, Literals = 1, Updates = 6, Caught = 4, Throws = 6, Keys = 2 },
            Faults = Slow,
            Processes = 1,
            Tabs = 10,
            Length = 3,
            Configure = static options => options.MaxSize = 1024,
        },
        new("hole-l", "Delegates that wait longer than a commit may take.")
        {
            Requests = Nothing with { Values = 6, Updates = 10, Waits = 8, MaxWait = 2_000, MaxSteps = 2, Keys = 2 },
            Faults = Slow,
            Processes = 2,
            Tabs = 5,
            Configure = static options => options.CommitTimeout = TimeSpan.FromSeconds(1),
        },
        new("hole-m", "A near cache that hears of changes late.")
        {
            Requests = Nothing with { Values = 10, Updates = 2, MaxSteps = 2 },
            Faults = new() { Slow = 0.3, LoseMessage = 0.05 },
            Processes = 2,
            Tabs = 2,
            Length = 8,
            Configure = static options => options.NearCache.MaxStaleness = TimeSpan.FromSeconds(2),
            Rules = new Rules { Staleness = TimeSpan.FromSeconds(2) },
        },
        new("hole-n", "Commits and updates that are cancelled before they are sent.")
        {
            Requests = Nothing with { Values = 8, Cancelled = 4, Updates = 2, Commits = 4, MaxSteps = 5 }, Faults = Slow, Tabs = 4,
        },
        new("roll-back", "A store that forgets what it has acknowledged.")
        {
            Requests = Nothing with { Values = 10, Waits = 2 },
            Faults = Slow,
            Events = [(EventKind.RollBack, 2, 4)],
            Rules = new Rules { MayLoseAcknowledged = true },
        },
    ];

    public static IReadOnlyList<Scenario> All { get; } = [General, .. Clean, .. Focused];

    public static Scenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);
}
