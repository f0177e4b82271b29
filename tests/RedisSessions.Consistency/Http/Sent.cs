using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http;

/// <summary>A request and its response, as the browser saw them.</summary>
/// <param name="Request">What was asked.</param>
/// <param name="Browser">The number of the browser.</param>
/// <param name="Process">The number of the process.</param>
/// <param name="Cookie">The number of the id that was sent.</param>
/// <param name="Began">When it was sent.</param>
/// <param name="At">The same in milliseconds.</param>
internal sealed record Sent(Request Request, int Browser, int Process, int? Cookie, long Began, long At)
{
    /// <summary>When the answer was there.</summary>
    public long Ended { get; init; } = long.MaxValue;

    /// <summary>The status code; null when no answer came.</summary>
    public int? Status { get; init; }

    /// <summary>The body: <c>done</c>, a problem, or the exception that nothing mapped.</summary>
    public string Body { get; init; } = "";

    public CookieAnswer Answer { get; init; }

    public int? NewCookie { get; init; }

    /// <summary>How far the process's clock is ahead, in milliseconds.</summary>
    public long ClockOffset { get; init; }
}
