using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>A promise that a history breaks.</summary>
/// <param name="Code">Short and stable, one of <see cref="Codes"/>.</param>
/// <param name="Requests">The ids of the requests concerned.</param>
/// <param name="Explanation">Why this cannot be, in one or a few lines.</param>
internal sealed record Finding(string Code, IReadOnlyList<string> Requests, string Explanation)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Code} ({string.Join(", ", Requests)}): {Explanation}";
}
