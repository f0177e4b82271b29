namespace RedisSessions.LoadTests.Compare;

/// <summary>One turn of one subject at one route.</summary>
/// <param name="Subject">Whose turn.</param>
/// <param name="Route">What was asked.</param>
/// <param name="Load">What the clients saw.</param>
/// <param name="App">Processor that the application used.</param>
/// <param name="Redis">Processor that Redis used.</param>
/// <param name="Generator">Processor that the load generator used.</param>
/// <param name="Calls">What Redis was asked, by command.</param>
internal sealed record Slot(
    string Subject, string Route, LoadResult Load, TimeSpan App, TimeSpan Redis, TimeSpan Generator, IReadOnlyDictionary<string, long> Calls)
{
    /// <summary>Microseconds of processor of a process per request.</summary>
    public double PerRequest(TimeSpan processor) => processor.TotalMicroseconds / Load.Answered;

    /// <summary>Whether another is the turn that this one is compared with.</summary>
    public bool Is(string subject, string route) => Subject == subject && Route == route;
}
