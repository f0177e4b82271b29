namespace RedisSessions.TestServers.Histories;

/// <summary>What the client of an operation was told.</summary>
public enum Outcome
{
    /// <summary>It was done.</summary>
    Acknowledged,

    /// <summary>It was not done, and will not be.</summary>
    Refused,

    /// <summary>Nobody can say: it was done, or not, or will be in a moment.</summary>
    Unknown,
}

/// <summary>How a session's id ended.</summary>
public enum SessionEnd
{
    /// <summary>The session is gone.</summary>
    Destroyed,

    /// <summary>The session goes on under another id; this one is dead at once.</summary>
    Replaced,
}

/// <summary>Something that a client did to one session, and when: both times from one monotonic clock.</summary>
/// <param name="Session">The test's own name for the session, over all its ids; never an id.</param>
/// <param name="Id">Which of its ids was used: 0 is the first, 1 the one after a login.</param>
/// <param name="Invoked">Before it was sent.</param>
/// <param name="Returned">After its answer.</param>
/// <param name="Outcome">What the answer said.</param>
public abstract record SessionOperation(string Session, int Id, long Invoked, long Returned, Outcome Outcome);

/// <summary>One token, used only once, was appended to the session's list.</summary>
public sealed record Pushed(string Session, int Id, long Invoked, long Returned, Outcome Outcome, string Token)
    : SessionOperation(Session, Id, Invoked, Returned, Outcome);

/// <summary>The list was read; <paramref name="Tokens"/> is null when there was no session.</summary>
public sealed record Looked(string Session, int Id, long Invoked, long Returned, Outcome Outcome, IReadOnlyList<string>? Tokens)
    : SessionOperation(Session, Id, Invoked, Returned, Outcome);

/// <summary>The id was ended: by a logout or by a login.</summary>
public sealed record Ended(string Session, int Id, long Invoked, long Returned, Outcome Outcome, SessionEnd How)
    : SessionOperation(Session, Id, Invoked, Returned, Outcome);
