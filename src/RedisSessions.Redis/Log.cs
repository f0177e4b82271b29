using Microsoft.Extensions.Logging;

namespace RedisSessions.Redis;

/// <summary>Every message of the Redis handler. Never an id, never a value.</summary>
internal static partial class Log
{
    [LoggerMessage(101, LogLevel.Warning, "Redis did not answer ({Error}); trying again, retry {Attempt}")]
    public static partial void Retrying(ILogger logger, int attempt, string error);

    [LoggerMessage(102, LogLevel.Warning, "Redis could not be reached at start; sessions fail until it can, and scripts are tested then")]
    public static partial void NotReachableAtStart(ILogger logger, Exception exception);

    [LoggerMessage(103, LogLevel.Information, "Redis scripts are atomic on this server: {Calls} concurrent calls over {Connections} connections, none lost")]
    public static partial void SelfTestPassed(ILogger logger, int calls, int connections);
}
