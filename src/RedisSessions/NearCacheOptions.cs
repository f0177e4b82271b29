namespace RedisSessions;

/// <summary>
/// Sessions kept in the process for a moment, so that most reads need no round trip. For sites that read far more than they write. The version that every commit compares
/// keeps writers safe, whatever they have read; a reader may see a session as it was up to <see cref="MaxStaleness"/> ago. See docs/operations.md.
/// </summary>
public sealed class NearCacheOptions
{
    /// <summary>
    /// How old a session may be that is read from the process. A message tells all processes of a change, mostly within a millisecond; this is for messages that are lost.
    /// A read from the process does not move the idle deadline, so a session may end earlier by this much. All instances must have it set, since those that have not
    /// send no messages. Default: zero, which is off; from 1 second up to a tenth of <see cref="RedisSessionsOptions.IdleTimeout"/>.
    /// </summary>
    public TimeSpan MaxStaleness { get; set; }

    /// <summary>How much of the process's memory sessions take at most, in bytes, roughly counted. Default: 67,108,864 (64 MiB); 1 MiB to 64 GiB.</summary>
    public long MaxBytes { get; set; } = 64 * 1024 * 1024;
}
