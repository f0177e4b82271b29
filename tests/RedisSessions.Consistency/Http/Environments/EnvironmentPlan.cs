using RedisSessions.Consistency.History;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>An environment before it is started: its name, what it allows, and arguments of its processes.</summary>
internal sealed record EnvironmentPlan(string Name)
{
    public Rules Rules { get; init; } = new();

    public IReadOnlyList<string> Extra { get; init; } = [];

    /// <summary>How far the clock of a process is ahead or behind at most.</summary>
    public TimeSpan MostAhead { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Starts it for a number of processes; gives null where this machine has not got what it needs.</summary>
    public required Func<EnvironmentPlan, int, CancellationToken, Task<HttpEnvironment?>> StartAsync { get; init; }
}
