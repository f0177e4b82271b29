namespace RedisSessions;

/// <summary>
/// When calls fail at once instead of waiting for a Redis that is down. Bound from <c>Sessions:Redis:Breaker</c>. What counts is a call that has failed with all its
/// tries, so a blip that the tries outlast opens nothing; refused writes (read-only, out of memory) do not count, because reading goes on.
/// </summary>
public sealed class RedisBreakerOptions
{
    /// <summary>Whether there is a circuit at all. Default: true; never in a cluster, where one of several primaries may be down, and the sessions of the others are to be served.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// The share of calls within <see cref="SamplingDuration"/> that must have failed. Default: 0.9, because a Redis that is gone fails all of them; above 0, at most 1.
    /// </summary>
    public double FailureRatio { get; set; } = 0.9;

    /// <summary>How many calls there must have been within <see cref="SamplingDuration"/>. Default: 5, so that a quiet instance has a circuit too; 2 to 10000.</summary>
    public int MinimumThroughput { get; set; } = 5;

    /// <summary>
    /// Over which time calls are counted. Default: 2 seconds, less than <see cref="RedisHandlerOptions.Timeout"/>, so that the successes of before do not count any more
    /// when the first calls have failed; 0.5 seconds to 5 minutes.
    /// </summary>
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long calls fail at once until one of them is let through as a probe. Spread downwards by up to half of what is above half a
    /// second, so that instances do not probe together. Default: half a second: a probe that came a moment too early is not to cost the two seconds in which a Redis that is back is
    /// to be found, and a probe waits for the connection, so it is no load; 0.5 seconds to a minute.
    /// </summary>
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(0.5);
}
