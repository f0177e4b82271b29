using Microsoft.Extensions.Logging;

namespace RedisSessions.Diagnostics;

/// <summary>Every message of the engine. Never an id, never a value; a path names what was in dispute.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "Session commit met a newer version ({Expected} -> {Current}). This request has {Changes}; in parentheses, what another request did there")]
    public static partial void Rebasing(ILogger logger, SessionVersion expected, SessionVersion current, string changes);

    [LoggerMessage(2, LogLevel.Information, "Session commit refused: '{Path}' was {Theirs} by another request after this one had {Mine} it")]
    public static partial void Refused(ILogger logger, string path, string theirs, string mine);

    [LoggerMessage(3, LogLevel.Warning, "Session commit gave up after {Tries} tries in {Milliseconds} ms: other requests kept changing the session")]
    public static partial void GaveUp(ILogger logger, int tries, double milliseconds);

    [LoggerMessage(4, LogLevel.Information, "Session commit refused: the session ended while the request was running")]
    public static partial void Ended(ILogger logger);

    [LoggerMessage(5, LogLevel.Warning, "The session ended while the request was running; with OnConflict LastWriteWins its {Changes} change(s) are discarded")]
    public static partial void Discarded(ILogger logger, int changes);

    [LoggerMessage(6, LogLevel.Debug, "A commit whose answer was lost had been stored; it was not applied again")]
    public static partial void FoundOwnCommit(ILogger logger);

    [LoggerMessage(7, LogLevel.Information, "A session id that had been replaced at login was used again")]
    public static partial void ReplacedIdUsed(ILogger logger);

    [LoggerMessage(8, LogLevel.Debug, "The record of a session id that was not issued could not be removed; it expires by itself")]
    public static partial void OrphanLeft(ILogger logger, Exception exception);

    [LoggerMessage(9, LogLevel.Debug, "{Count} expired session(s) collected in {Milliseconds} ms")]
    public static partial void Collected(ILogger logger, int count, double milliseconds);

    [LoggerMessage(10, LogLevel.Warning, "Expired sessions could not be collected; trying again later")]
    public static partial void NotCollected(ILogger logger, Exception exception);

    [LoggerMessage(11, LogLevel.Warning, "An exclusive request lost its lease before it ended: it was paused for longer than Sessions:LeaseDuration, or the store lost it")]
    public static partial void LeaseLost(ILogger logger);

    [LoggerMessage(12, LogLevel.Warning, "Session commit refused: the lease of this exclusive request had ended, and another request has changed the session since")]
    public static partial void LeaseWasLost(ILogger logger);

    [LoggerMessage(13, LogLevel.Debug, "The lease of an exclusive request could not be given back; it ends by itself")]
    public static partial void LeaseNotReleased(ILogger logger, Exception exception);

    [LoggerMessage(14, LogLevel.Warning, "The lease of an exclusive request could not be renewed; trying again while it lasts")]
    public static partial void LeaseNotRenewed(ILogger logger, Exception exception);

    [LoggerMessage(15, LogLevel.Warning, "An exclusive request was refused: {Reason}")]
    public static partial void Busy(ILogger logger, string reason);
}
