using System.Text.Json.Serialization;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>
/// A run as data: what browsers send and what the environment does. Together with the seed, from which each owner's draws come, it is the
/// whole
/// run. A shrunk script is one with fewer requests, steps and events, and the same seed.
/// </summary>
internal sealed record Script(string Scenario, long Seed, IReadOnlyList<PlannedRequest> Requests, IReadOnlyList<PlannedEvent> Events);

/// <summary>One request of one tab; the tabs of a browser share its cookies and send at the same time.</summary>
/// <param name="Browser">Who sends it.</param>
/// <param name="Tab">Where in the browser; a tab waits for the answer before it sends the next one.</param>
/// <param name="Process">Which process is asked, if it is alive.</param>
/// <param name="Think">How long the tab waits before, in microseconds.</param>
/// <param name="Request">What is asked.</param>
internal sealed record PlannedRequest(int Browser, int Tab, int Process, long Think, Request Request);

/// <summary>Something that the environment does.</summary>
/// <param name="At">Milliseconds since the beginning.</param>
/// <param name="What">What it is.</param>
/// <param name="Number">Which store or process, how many changes, how many milliseconds; as <see cref="What"/> says.</param>
internal sealed record PlannedEvent(long At, EventKind What, int Number);

/// <summary>What the environment can do.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EventKind>))]
internal enum EventKind
{
    /// <summary>A process dies with all its requests, and is started again a second later.</summary>
    Kill,

    /// <summary>A store cannot be reached for two seconds.</summary>
    Outage,

    /// <summary>A store cannot be reached for half a minute.</summary>
    LongOutage,

    /// <summary>A store refuses what grows for five seconds.</summary>
    Full,

    /// <summary>
    /// The primary is cut off from its replica for so many milliseconds, and then the replica takes over: what it does not have is
    /// undone.
    /// </summary>
    FailOver,

    /// <summary>So many changes are undone, acknowledged or not.</summary>
    RollBack,

    /// <summary>The handler is exchanged on all processes, once they have answered what they have begun.</summary>
    Switch,

    /// <summary>The handler is exchanged on all processes, which die with their requests.</summary>
    SwitchAbruptly,
}
