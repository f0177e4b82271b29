using System.Text.Json.Serialization;

namespace RedisSessions.Consistency.Scripts;

/// <summary>What one browser asks of one process: the steps that an endpoint executes on the session.</summary>
/// <param name="Id">Unique in a history, for example <c>r17</c>.</param>
/// <param name="Steps">What the endpoint does; the middleware commits what is left at the end.</param>
internal sealed record Request(string Id, IReadOnlyList<Step> Steps)
{
    /// <summary>How the endpoint uses the session.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public SessionAccess Access { get; init; }
}

/// <summary>What became of one transaction of a request: a plain segment that ended in a commit, or one <see cref="Op.Update"/>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Fate>))]
internal enum Fate
{
    /// <summary>The commit was acknowledged, or there was nothing to commit.</summary>
    Committed,

    /// <summary>Refused: what was read has changed (409). Nothing of it may be stored.</summary>
    Refused,

    /// <summary>Refused: the session has ended (409). Nothing of it may be stored.</summary>
    Ended,

    /// <summary>The store failed (503). It is stored whole or not at all, now or later.</summary>
    Unknown,

    /// <summary>
    /// Given up before it was sent (cancelled, a delegate that threw). Nothing of it may be stored, and what follows is not disturbed.
    /// </summary>
    Abandoned,

    /// <summary>Anything else: an exception that nothing maps, or a status that nothing promises. Always a finding.</summary>
    Broken,

    /// <summary>Never answered: the process died, or the request did not end in the time that the options allow.</summary>
    NoAnswer,
}

/// <summary>One transaction as it was observed.</summary>
/// <param name="Steps">The steps that it executed, in order, flat: the branches that were taken, in the run that counts.</param>
/// <param name="Fate">What became of it.</param>
/// <param name="Detail">For a finding: the exception's type and the refused path. Never a session id.</param>
internal sealed record Segment(IReadOnlyList<Executed> Steps, Fate Fate, string? Detail = null)
{
    /// <summary>Whether it was the delegate of <c>UpdateAsync</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsUpdate { get; init; }

    /// <summary>How often the delegate ran; 0 for plain code.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Runs { get; init; }

    /// <summary>
    /// Whether it has no commit of its own: its changes, if there are any, went along with the update that follows it, all or nothing.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool WithNext { get; init; }
}

/// <summary>
/// A step and the answer that the session gave: JSON of a value, the type of an exception, or null for steps that answer nothing.
/// </summary>
internal sealed record Executed(Step Step, string? Answer);
