using RedisSessions.Consistency.History;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>Starts an environment for a number of processes; gives null where this machine has not got what it needs.</summary>
internal delegate Task<HttpEnvironment?> Start(EnvironmentPlan plan, int processes, CancellationToken cancellationToken);

/// <summary>An environment before it is started: its name, what it allows, and arguments of its processes.</summary>
internal sealed record EnvironmentPlan(string Name)
{
    public Rules Rules { get; init; } = new();

    public IReadOnlyList<string> Extra { get; init; } = [];

    /// <summary>How far the clock of a process is ahead or behind at most.</summary>
    public TimeSpan MostAhead { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Starts it.</summary>
    public required Start StartAsync { get; init; }
}
