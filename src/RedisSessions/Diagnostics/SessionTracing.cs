using System.Diagnostics;

namespace RedisSessions.Diagnostics;

/// <summary>
/// The spans of the engine, in the activity source <c>RedisSessions</c>. No <c>session.id</c>: the id is what its visitor is known by, and whoever reads a trace could
/// use it. For the same reason no key, path, value or message of an exception.
/// </summary>
internal static class SessionTracing
{
    public static ActivitySource Source { get; } = new(SessionMetrics.MeterName);

    public static bool IsOn => Source.HasListeners();

    /// <summary>A span of the engine's own work; null, and nothing was made, when nobody listens.</summary>
    public static Activity? Start(string name, string handler)
    {
        var span = Source.StartActivity(name);
        span?.SetTag("redissessions.handler", handler);
        return span;
    }

    /// <summary>A call of the store, as OpenTelemetry describes calls of databases.</summary>
    public static Activity? StartStore(string operation, string system)
    {
        if (!IsOn)
            return null;
        var span = Source.StartActivity($"{operation} {system}", ActivityKind.Client);
        span?.SetTag("db.system.name", system);
        span?.SetTag("db.operation.name", operation);
        return span;
    }

    /// <summary>Notes something on the span that is under way, if it is one of ours.</summary>
    public static void Event(string name)
    {
        if (Activity.Current is { } span && span.Source == Source)
            span.AddEvent(new ActivityEvent(name));
    }

    public static void End(Activity? span, string outcome) => span?.SetTag("redissessions.outcome", outcome);

    /// <summary>Notes a failure.</summary>
    /// <returns>What became of it, in one word.</returns>
    public static string Fail(Activity? span, Exception e)
    {
        var outcome = e switch
        {
            OperationCanceledException => "cancelled",
            SessionConflictException conflict => conflict.Reason,
            SessionTooLargeException => "too_large",
            SessionBusyException => "busy",
            _ => "failed",
        };
        End(span, outcome);
        if (outcome == "cancelled")
            return outcome;
        span?.SetTag("error.type", ErrorType(e));
        span?.SetStatus(ActivityStatusCode.Error);
        return outcome;
    }

    /// <summary>What a store's client reported says more than that it was wrapped.</summary>
    public static string ErrorType(Exception e)
    {
        var cause = e is SessionStoreException { InnerException: { } inner } ? inner : e;
        return cause.GetType().FullName ?? cause.GetType().Name;
    }
}
