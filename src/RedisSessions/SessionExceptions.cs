using System.Globalization;

namespace RedisSessions;

/// <summary>The family of everything that can go wrong with a session. No message ever holds a session id or a value.</summary>
public abstract class SessionException : Exception
{
    private protected SessionException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>A request's changes were not stored because the session changed meanwhile, or has ended.</summary>
public sealed class SessionConflictException : SessionException
{
    private SessionConflictException(string message, string reason, string? path = null) : base(message)
    {
        Path = path;
        Reason = reason;
    }

    /// <summary>The path whose value differs, in dot notation; null when the session has ended or the commit ran out of tries.</summary>
    public string? Path { get; }

    /// <summary>True when the session was destroyed, has expired or has moved to a new id for good.</summary>
    public bool SessionEnded => Reason == "ended";

    /// <summary>conflict, ended, lease_lost or tries: the word for it in metrics.</summary>
    internal string Reason { get; }

    internal static SessionConflictException Changed(string path) => new(
        $"The session value '{path}' was changed by another request after this one had read it, so nothing was stored. "
        + "Send the request again, or make the change inside Session.UpdateAsync, which runs again by itself.",
        "conflict", path);

    internal static SessionConflictException Ended() => new(
        "The session ended while this request was running (it was destroyed, expired or given a new id), so nothing was stored.",
        "ended");

    internal static SessionConflictException LeaseLost() => new(
        "The lease of this exclusive request ended before it did, and another request has changed the session since, so nothing was stored.",
        "lease_lost");

    internal static SessionConflictException GaveUp(int tries, TimeSpan elapsed) => new(
        string.Create(CultureInfo.InvariantCulture,
            $"Other requests kept changing this session: {tries} tries to commit in {elapsed.TotalMilliseconds:F0} ms, nothing was stored."),
        "tries");
}

/// <summary>The store could not be reached, refused, or holds something that is no session record.</summary>
public sealed class SessionStoreException : SessionException
{
    /// <summary>Describes a failure of a store.</summary>
    /// <param name="handler">The name of the handler, for example "redis".</param>
    /// <param name="verb">What was tried: read, commit, delete or start.</param>
    /// <param name="reason">What went wrong, without an id or a value.</param>
    /// <param name="inner">What the store's client reported, if anything.</param>
    public SessionStoreException(string handler, string verb, string reason, Exception? inner = null)
        : base($"Session store '{handler}' failed to {verb}: {reason}", inner)
    {
        Handler = handler;
        Verb = verb;
    }

    /// <summary>The name of the handler, for example "redis".</summary>
    public string Handler { get; }

    /// <summary>What was tried: read, commit, delete or start.</summary>
    public string Verb { get; }
}

/// <summary>
/// A request waited in vain for exclusive access to its session, or found too many others waiting; see <see cref="RedisSessionsOptions.MaxWaiters"/> and
/// <see cref="RedisSessionsOptions.LeaseWait"/>. Nothing was read or stored.
/// </summary>
public sealed class SessionBusyException : SessionException
{
    internal SessionBusyException(string message) : base(message) { }
}

/// <summary>The session would not fit into <see cref="RedisSessionsOptions.MaxSize"/>; nothing was stored.</summary>
public sealed class SessionTooLargeException : SessionException
{
    internal SessionTooLargeException(int size, int limit, string largest)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"The session would take {size} bytes and the limit (Sessions:MaxSize) is {limit}; nothing was stored. Largest keys: {largest}."))
    {
        Size = size;
        Limit = limit;
    }

    /// <summary>The size of the payload in bytes.</summary>
    public int Size { get; }

    /// <summary>The limit in bytes.</summary>
    public int Limit { get; }
}
