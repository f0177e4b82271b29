namespace RedisSessions;

/// <summary>What an endpoint does with the session.</summary>
public enum SessionAccess
{
    /// <summary>Reads and writes; concurrent requests are reconciled at commit. The default.</summary>
    Optimistic = 0,

    /// <summary>
    /// Reads and writes, one request of a session at a time, over all instances: for code that was written for the classic behaviour. Waits for its turn at most
    /// <see cref="RedisSessionsOptions.LeaseWait"/>. Optimistic requests do not wait for it, and its commit is a compare-and-swap like any other.
    /// </summary>
    Exclusive = 1,

    /// <summary>Reads only: never waits, never writes; a change is an <see cref="InvalidOperationException"/>.</summary>
    ReadOnly = 2,

    /// <summary>No session and no I/O at all.</summary>
    None = 3,
}

/// <summary>What to do when a request decided on values that have changed meanwhile and cannot be run again.</summary>
public enum ConflictBehavior
{
    /// <summary>Nothing is stored and the request fails with a <see cref="SessionConflictException"/> (HTTP 409).</summary>
    Reject = 0,

    /// <summary>The request's changes are replayed on the newer values anyway.</summary>
    LastWriteWins = 1,
}

/// <summary>What to do with a request whose session cannot be read because the store failed.</summary>
public enum StoreFailureBehavior
{
    /// <summary>The request fails with a <see cref="SessionStoreException"/> (HTTP 503 with Retry-After).</summary>
    Fail = 0,

    /// <summary>The request goes on with an empty session that is never stored and sets no cookie.</summary>
    Anonymous = 1,
}

/// <summary>What the response has to do about the session cookie; see <see cref="SessionManager.CookieFor"/>.</summary>
public enum SessionCookieAction
{
    /// <summary>Nothing: the browser keeps what it has.</summary>
    Keep = 0,

    /// <summary>The session was created or has a new id, and it is stored: set the cookie to <see cref="Session.Id"/>.</summary>
    Issue = 1,

    /// <summary>The session was destroyed with its cookie: expire it.</summary>
    Expire = 2,
}
