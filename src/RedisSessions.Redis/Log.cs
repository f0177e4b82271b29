using Microsoft.Extensions.Logging;

namespace RedisSessions.Redis;

/// <summary>Every message of the Redis handler. Never an id, never a value.</summary>
internal static partial class Log
{
    [LoggerMessage(101, LogLevel.Debug, "Redis did not do it ({Reason}); trying again, retry {Attempt}")]
    public static partial void Retrying(ILogger logger, int attempt, string reason);

    [LoggerMessage(102, LogLevel.Warning, "Redis could not be reached at start; sessions fail until it can, and scripts are tested then")]
    public static partial void NotReachableAtStart(ILogger logger, Exception exception);

    [LoggerMessage(103, LogLevel.Information, "Redis scripts are atomic on this server: {Calls} concurrent calls over {Connections} connections, none lost")]
    public static partial void SelfTestPassed(ILogger logger, int calls, int connections);

    [LoggerMessage(110, LogLevel.Error, "Redis is down: sessions fail at once now, and one call at a time tries whether it is back (the circuit is open)")]
    public static partial void CircuitOpened(ILogger logger);

    [LoggerMessage(111, LogLevel.Warning, "Redis is back: sessions work again (the circuit is closed)")]
    public static partial void CircuitClosed(ILogger logger);

    [LoggerMessage(112, LogLevel.Warning, "The connection to Redis was lost ({Failure}); it is made again by itself")]
    public static partial void ConnectionLost(ILogger logger, string failure);

    [LoggerMessage(113, LogLevel.Information, "The connection to Redis is there again")]
    public static partial void ConnectionRestored(ILogger logger);

    [LoggerMessage(114, LogLevel.Warning, "Redis at {Server} evicts keys when its memory is full (maxmemory-policy {Policy}): {What} may vanish, and visitors are signed out without an error anywhere. Set noeviction")]
    public static partial void Evicts(ILogger logger, string server, string policy, string what);

    [LoggerMessage(115, LogLevel.Warning, "Redis at {Server} has no persistence (neither appendonly nor save): a restart ends all sessions")]
    public static partial void NotPersistent(ILogger logger, string server);

    [LoggerMessage(116, LogLevel.Warning, "Redis at {Server} is version {Version}; sessions need 6.2 or newer")]
    public static partial void TooOld(ILogger logger, string server, string version);

    [LoggerMessage(117, LogLevel.Information, "Redis at {Server}: it could not be checked {What} (not allowed, or not known there)")]
    public static partial void NotChecked(ILogger logger, string server, string what);

    [LoggerMessage(118, LogLevel.Warning, "Redis at {Server} has evicted {Keys} keys since it started: sessions may have been among them")]
    public static partial void HasEvicted(ILogger logger, string server, long keys);

    [LoggerMessage(119, LogLevel.Error, "Redis refuses the user or the password of sessions; it is tried again, also with what Sessions:Redis:ConfigureClient provides by then")]
    public static partial void Unauthenticated(ILogger logger);
}
