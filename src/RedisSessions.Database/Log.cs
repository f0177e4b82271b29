using Microsoft.Extensions.Logging;

namespace RedisSessions.Database;

/// <summary>Every message of the database handler. Never an id, never a value.</summary>
internal static partial class Log
{
    [LoggerMessage(301, LogLevel.Warning, "The database did not do as asked ({Error}); trying again, retry {Attempt}")]
    public static partial void Retrying(ILogger logger, int attempt, string error);

    [LoggerMessage(302, LogLevel.Warning, "The database could not be reached at start; sessions fail until it can, and the table is looked for then")]
    public static partial void NotReachableAtStart(ILogger logger, Exception exception);

    [LoggerMessage(303, LogLevel.Information, "Migration {Version} of the table '{Table}' was applied")]
    public static partial void Migrated(ILogger logger, int version, string table);

    [LoggerMessage(304, LogLevel.Warning, "A session was read, but its idle deadline could not be moved ({Error}); the next read does it")]
    public static partial void NotSlid(ILogger logger, string error);
}
