namespace RedisSessions.Consistency.Scripts;

/// <summary>Names what became of a transaction by what a commit threw.</summary>
internal static class Fates
{
    /// <summary>
    /// The fate that an exception of a commit, of an update or of the request's end stands for, and the detail for a finding.
    /// </summary>
    public static (Fate Fate, string? Detail) Of(Exception e) => e switch
    {
        SessionConflictException { SessionEnded: true } => (Fate.Ended, null),
        SessionConflictException conflict => (Fate.Refused, conflict.Path ?? Shortened(conflict.Message)),
        SessionStoreException => (Fate.Unknown, Shortened(e.Message)),
        // Both say that nothing was stored, and are no conflict.
        SessionTooLargeException or SessionBusyException => (Fate.Abandoned, e.GetType().Name),
        OperationCanceledException or ScriptException => (Fate.Abandoned, e.Message),
        _ => (Fate.Broken, $"{e.GetType().Name}: {Shortened(e.Message)}"),
    };

    /// <summary>Whether a session refuses a step in this way: the endpoint catches it and goes on.</summary>
    public static bool IsRefusal(Exception e) => e is InvalidOperationException or InvalidCastException or ArgumentException;

    /// <summary>The answer of a refused step.</summary>
    public static string Refusal(Exception e) => "!" + e.GetType().Name;

    /// <summary>Whether an answer is that of a refused step.</summary>
    public static bool IsRefusal(string? answer) => answer is ['!', ..];

    private static string Shortened(string message) => message.Length <= 160 ? message : message[..160];
}

/// <summary>A script's own exception: what an endpoint or a delegate throws for reasons of its own.</summary>
internal sealed class ScriptException(string message, Exception? inner = null) : Exception(message, inner);
