using System.Text.Json.Serialization;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>What the browser was told about its cookie.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CookieAnswer>))]
internal enum CookieAnswer
{
    /// <summary>No <c>Set-Cookie</c>.</summary>
    None,

    /// <summary>A new id, or the same one again.</summary>
    Issued,

    /// <summary>The cookie was expired.</summary>
    Expired,
}

/// <summary>
/// One request as its browser saw it. Ids are numbers that the history gives to cookies in the order in which they were issued.
/// </summary>
/// <param name="Request">What was asked.</param>
/// <param name="Browser">Who asked.</param>
/// <param name="Process">Which process was asked.</param>
/// <param name="Cookie">The number of the id that was sent; null for none.</param>
/// <param name="Began">When it was sent: a counter or a clock that all browsers share.</param>
/// <param name="Ended">When its answer was there; <see cref="long.MaxValue"/> when it never came.</param>
/// <param name="WasNew">Whether the session was new to the endpoint; null when the endpoint never ran.</param>
/// <param name="Segments">Its transactions, in order.</param>
/// <param name="Answer">What it was told about its cookie.</param>
/// <param name="NewCookie">The number of the id that was issued.</param>
internal sealed record Observation(
    Request Request, int Browser, int Process, int? Cookie, long Began, long Ended, bool? WasNew, IReadOnlyList<Segment> Segments,
    CookieAnswer Answer = CookieAnswer.None, int? NewCookie = null)
{
    /// <summary>The process's clock minus the store's when the request began, in milliseconds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long ClockOffset { get; init; }

    /// <summary>When it was sent, on the store's clock, in milliseconds; for deadlines.</summary>
    public long At { get; init; }
}

/// <summary>A whole run: what was observed, and what the environment did, in order of beginning.</summary>
/// <param name="Name">The scenario.</param>
/// <param name="Seed">The seed that made it.</param>
/// <param name="Observations">The requests.</param>
/// <param name="Events">What the environment did: roll-backs, moves of the handler, outages, kills.</param>
/// <param name="Rules">What this environment allows.</param>
internal sealed record RunHistory(
    string Name, long Seed, IReadOnlyList<Observation> Observations, IReadOnlyList<EnvironmentEvent> Events, Rules Rules);

/// <summary>Something that the environment did.</summary>
/// <param name="At">On the counter of <see cref="Observation.Began"/>.</param>
/// <param name="What">
/// For example <c>rollback</c>, <c>outage</c>, <c>switch-to-new</c>. What begins with <c>kill</c> excuses requests that never end, and
/// <c>rollback</c> lets
/// acknowledged commits be missing where <see cref="Rules.MayLoseAcknowledged"/> allows it.
/// </param>
internal sealed record EnvironmentEvent(long At, string What);

/// <summary>What the promises allow in one environment.</summary>
internal sealed record Rules
{
    /// <summary>A store was rolled back on purpose: acknowledged commits may be missing, but no stale commit may overwrite.</summary>
    public bool MayLoseAcknowledged { get; init; }

    /// <summary>
    /// How old a plain read may be beside other browsers' writes (near cache); a browser always reads what it was told is stored.
    /// </summary>
    public TimeSpan Staleness { get; init; }

    /// <summary>Plain requests overwrite instead of being refused.</summary>
    public bool LastWriteWins { get; init; }

    /// <summary>Whether the store or the way to it fails at times; if not, an answer that says so is a finding.</summary>
    public bool StoreMayFail { get; init; }

    /// <summary>How long an old id leads to its session after a rotation.</summary>
    public TimeSpan RotationGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The configured idle timeout.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>The configured absolute timeout.</summary>
    public TimeSpan AbsoluteTimeout { get; init; } = TimeSpan.FromHours(12);
}
