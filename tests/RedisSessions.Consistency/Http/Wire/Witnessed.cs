using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Wire;

/// <summary>
/// What an endpoint knows of a request before its last commit: the checker learns the fate of that commit from the response.
/// </summary>
/// <param name="Id">The request.</param>
/// <param name="WasNew">Whether the session was new to the endpoint.</param>
/// <param name="Done">The transactions that are over; null while the endpoint runs.</param>
/// <param name="Open">The steps that the middleware commits; null while the endpoint runs, and when it has failed.</param>
internal sealed record Witnessed(string Id, bool WasNew, IReadOnlyList<Segment>? Done, IReadOnlyList<Executed>? Open)
{
    /// <summary>What nothing has mapped: the response is a bare 500, which does not tell.</summary>
    public string? Thrown { get; init; }
}
