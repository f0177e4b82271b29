using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>Where a hole is known or was: the profile and the faults lean towards it, and the seed finds it.</summary>
internal static class HoleScenarios
{
    private static readonly FaultWeights Slow = new() { Slow = 0.2, SlowArrival = 0.2 };
    private static readonly GeneratorProfile Nothing = Profiles.Nothing;

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("hole-a", "Lists by number inside updates.")
        {
            Requests = Nothing with { Values = 1, Lists = 10, Updates = 20, MaxSteps = 2, Keys = 1 },
            Accepts = Known.Triggers.FillsAndReadsNumbers,
            Faults = Slow,
            Tabs = 5,
        },
        new("hole-a-refused", "Writes that are refused and caught.")
        {
            Requests = Nothing with { Values = 4, Lists = 4, Updates = 10, Caught = 10, MaxSteps = 2, Keys = 1 }, Faults = Slow, Tabs = 4,
        },
        new("hole-a-all", "Looks at all values, keys and lifetimes before a write.")
        {
            Requests = Nothing with { Values = 5, Updates = 4, All = 8, MaxSteps = 3, Keys = 1 }, Faults = Slow, Tabs = 4,
        },
        new("hole-a-literals", "Literal keys that have the text of a path, inside updates.")
        {
            Requests = Nothing with { Values = 6, Literals = 6, Updates = 20, MaxSteps = 2, Keys = 1 }, Faults = Slow, Tabs = 4,
        },
        new("hole-b", "Flash data.")
        {
            Requests = Nothing with { Flash = 10, Updates = 4, Values = 1, MaxSteps = 3, Keys = 1 }, Faults = Slow, Tabs = 4,
        },
        new("hole-c", "Updates that change a lifetime or the end only.")
        {
            Requests = Nothing with { Values = 5, Lifetimes = 4, Logout = 3, Updates = 20, MaxSteps = 1, Keys = 1 },
            Faults = Slow,
            Tabs = 4,
        },
        new("hole-e", "Logins and logouts at the same time.")
        {
            Requests = Nothing with { Values = 4, Login = 4, Logout = 4, MaxSteps = 2 }, Faults = Slow, Tabs = 3, Length = 2,
        },
        new("hole-f", "The handler is exchanged, and back, while messages are lost, processes die and stores are away.")
        {
            Requests = Nothing with { Values = 10, Logout = 1, MaxSteps = 3 },
            Accepts = Known.Triggers.IsHarmless,
            Faults = FaultWeights.Lossy with { LongestDelay = 25_000 },
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
            Requests = Nothing with { Values = 8, Lists = 4, Updates = 6, Throws = 2, Keys = 2 },
            Faults = Slow with { KeyRing = 0.02 },
            IsProtected = true,
            Processes = 1,
            Tabs = 10,
            Length = 3,
        },
        new("hole-l", "Delegates that wait longer than a commit may take.")
        {
            Requests = Nothing with { Values = 6, Updates = 10, Waits = 8, MaxWait = 2_000, MaxSteps = 2, Keys = 2 },
            Faults = Slow,
            Tabs = 5,
            Configure = static options => options.CommitTimeout = TimeSpan.FromSeconds(1),
        },
        new("hole-m", "A near cache that hears of changes late.")
        {
            Requests = Nothing with { Values = 10, Updates = 2, MaxSteps = 2 },
            Accepts = static request => !Known.Triggers.UsesNumbers(request),
            Faults = new() { Slow = 0.3, LoseMessage = 0.05 },
            Tabs = 2,
            Length = 8,
            Configure = static options => options.NearCache.MaxStaleness = TimeSpan.FromSeconds(2),
            Rules = new Rules { Staleness = TimeSpan.FromSeconds(2) },
        },
        new("hole-n", "Commits and updates that are cancelled before they are sent.")
        {
            Requests = Nothing with { Values = 8, Cancelled = 4, Updates = 2, Commits = 4, MaxSteps = 5 }, Faults = Slow, Tabs = 4,
        },
        new("hole-o", "Updates that remove what is not there, with LastWriteWins.")
        {
            Requests = Nothing with { Values = 10, Updates = 8, Waits = 4, Keys = 2 },
            Accepts = static request => !Known.Triggers.UsesNumbers(request),
            Faults = Slow,
            Configure = static options => options.OnConflict = ConflictBehavior.LastWriteWins,
            Rules = new Rules { LastWriteWins = true },
        },
        new("hole-p", "Updates that end the session and then fail.")
        {
            Requests = Nothing with { Values = 8, Logout = 4, Updates = 10, Throws = 8, MaxSteps = 3 }, Faults = Slow,
        },
        new("hole-q", "Plain code that reads, and then only ends the session or changes its id.")
        {
            Requests = Nothing with { Values = 8, Login = 2, Logout = 2, MaxSteps = 2, Keys = 1 }, Faults = Slow, Tabs = 4,
        },
        new("hole-r", "Plain code that ends the session, gives that up and goes on.")
        {
            Requests = Nothing with { Values = 8, Logout = 4, Cancelled = 6, MaxSteps = 5 }, Faults = Slow,
        },
        new("hole-t", "Plain code that reads, updates something else, and writes.")
        {
            Requests = Nothing with { Values = 8, Updates = 8, Waits = 4, MaxSteps = 5, Keys = 1 },
            Accepts = static request => Known.Triggers.CarriesReads(request) && !Known.Triggers.UsesNumbers(request),
            Faults = Slow,
        },
        new("hole-u", "A session that begins and logs in within one request, while answers are lost.")
        {
            Requests = Nothing with { Values = 6, Login = 4, Commits = 6, Updates = 2, MaxSteps = 4 },
            Accepts = Known.Triggers.IsHarmless,
            Faults = new() { LoseAnswer = 0.4, LoseRequest = 0.1 },
            BeginsAlone = false,
            Tabs = 2,
        },
        new("hole-v", "Early commits whose answers are lost, beside logouts.")
        {
            Requests = Nothing with { Values = 8, Logout = 2, Commits = 4, Updates = 4, MaxSteps = 4 },
            Accepts = Known.Triggers.IsHarmless,
            Faults = new() { LoseAnswer = 0.3 },
        },
        new("hole-s", "Rotations, while messages come once more and late.")
        {
            Requests = Nothing with { Values = 6, Rotation = 4, MaxSteps = 2 },
            Accepts = Known.Triggers.IsHarmless,
            Faults = new() { Repeat = 0.2 },
            Tabs = 2,
        },
        new("roll-back", "A store that forgets what it has acknowledged.")
        {
            Requests = Nothing with { Values = 10, Waits = 2 },
            Faults = Slow,
            Events = [(EventKind.RollBack, 2, 4)],
            Rules = new Rules { MayLoseAcknowledged = true },
        },
    ];
}
