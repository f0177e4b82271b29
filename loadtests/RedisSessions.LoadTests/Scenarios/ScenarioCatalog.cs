namespace RedisSessions.LoadTests.Scenarios;

/// <summary>A scenario by its name.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Description">What it does, in a line.</param>
/// <param name="Sessions">How many sessions it has unless told otherwise; 0 when their number is no matter of choice.</param>
/// <param name="Needs">What it does to its servers.</param>
/// <param name="Create">Makes one, for this many sessions.</param>
internal sealed record ScenarioEntry(string Name, string Description, int Sessions, ScenarioNeeds Needs, Func<int, IScenario> Create);

/// <summary>What a scenario needs beside a site.</summary>
internal enum ScenarioNeeds
{
    /// <summary>Nothing: servers that run already will do.</summary>
    Nothing,

    /// <summary>Instances that it may kill.</summary>
    Instances,

    /// <summary>A Redis with replicas and sentinels that it may kill.</summary>
    Sentinels,
}

/// <summary>All scenarios.</summary>
internal static class ScenarioCatalog
{
    public static IReadOnlyList<ScenarioEntry> All(TimeProvider time) =>
    [
        new("browse", "Many visitors, nine reads for one write.", 10_000, ScenarioNeeds.Nothing, sessions => new Browse(sessions)),
        new("login-storm", "Everybody logs in: a new id, and the old one is dead.", 0, ScenarioNeeds.Nothing, _ => new LoginStorm()),
        new("cart-race", "Eight requests of one visitor at once; lost updates are counted.", 50, ScenarioNeeds.Nothing, sessions => new CartRace(sessions)),
        new("hot-session", "Everybody counts in one session, through all instances.", 0, ScenarioNeeds.Nothing, _ => new HotSession(time)),
        new("large-session", "Sessions of 100 KB, read and written in turn.", 50, ScenarioNeeds.Nothing, sessions => new LargeSession(sessions)),
        new("churn", "Sessions are made, read and destroyed, and do not return.", 0, ScenarioNeeds.Nothing, _ => new Churn()),
        new("farm", "Three instances, one killed in the middle.", 200, ScenarioNeeds.Instances,
            sessions => new KillInTheMiddle(sessions, time, "an instance", TimeSpan.FromSeconds(3), static target => target.KillInstanceAsync())),
        // A second until the sentinels call it dead, their vote, and the reconnecting of the clients.
        new("failover", "The primary Redis is killed in the middle; sentinels name another.", 200, ScenarioNeeds.Sentinels,
            sessions => new KillInTheMiddle(sessions, time, "the primary", TimeSpan.FromSeconds(15), static target => target.KillPrimaryAsync())),
    ];
}
