using Microsoft.Extensions.Logging;

namespace RedisSessions;

/// <summary>Every message of the middleware. Never an id, never a value.</summary>
internal static partial class Log
{
    [LoggerMessage(202, LogLevel.Error, "The session could not be read; the request goes on with an empty session that is not stored")]
    public static partial void Anonymous(ILogger logger, Exception exception);

    [LoggerMessage(203, LogLevel.Warning, "A {Method} request was answered {Status} because of its session")]
    public static partial void Failed(ILogger logger, string method, int status, Exception exception);

    [LoggerMessage(204, LogLevel.Warning, "A session that was imported could not be removed from where it was; it expires there by itself")]
    public static partial void NotRemoved(ILogger logger, Exception exception);

    [LoggerMessage(205, LogLevel.Warning, "A request brought several session cookies with different values; none of them is trusted. A cookie named __Host-… cannot be planted by another host")]
    public static partial void AmbiguousCookie(ILogger logger);

    [LoggerMessage(206, LogLevel.Information, "Shutting down: readiness fails now, and this instance goes on answering for {Seconds} s (Sessions:ShutdownDelay) until balancers have noticed")]
    public static partial void Leaving(ILogger logger, double seconds);
}
