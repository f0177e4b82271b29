namespace RedisSessions;

/// <summary>What becomes of a session when it commits: data, not a call.</summary>
internal enum SessionFate
{
    Keep,
    Rotate,
    Replace,
    Destroy,
}

/// <summary>Whether and how the session that a request came with has ended.</summary>
internal enum SessionEnd
{
    None,

    /// <summary>This request came with an id that was replaced (login elsewhere). Only a new identity may follow, or a late request would overwrite the browser's new cookie.</summary>
    Replaced,

    /// <summary>It ended while this request was running.</summary>
    Lost,

    /// <summary>This request destroyed it.</summary>
    Destroyed,

    /// <summary>The store could not be read: a session that is never stored.</summary>
    Detached,
}
