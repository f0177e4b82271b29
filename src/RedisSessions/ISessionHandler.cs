namespace RedisSessions;

/// <summary>
/// Where records live. Three verbs, each of them atomic for one key; everything else (merging, retrying a conflict, regenerating,
/// destroying) is done once for all handlers by <see cref="SessionManager"/>. A handler stores records and compares versions; it never
/// looks at a payload or at a <see cref="SessionRecord.State"/>: a closed record is a record like any other.
/// </summary>
/// <remarks>
/// <para>A handler is used by many requests at once, over many processes, and is a singleton.</para>
/// <para>
/// A store that cannot be reached, refuses, or holds something that is no record is a <see cref="SessionStoreException"/>, never a
/// "not found": an unreachable store must not log anybody out. A record that cannot be read stays in the store as it is.
/// </para>
/// <para>
/// A handler that tries a commit again because the answer was lost must pass the same record again; <see cref="SessionManager"/> finds
/// the commit's own id in the conflict that follows. If the record in that conflict does not
/// <see cref="SessionRecord.RemembersCommitsSince"/> the expected version, the outcome is unknown and a
/// <see cref="SessionStoreException"/> says so.
/// </para>
/// <para>The project's conformance suite is this text as tests.</para>
/// </remarks>
public interface ISessionHandler
{
    /// <summary>
    /// What the store is, for traces: the value of OpenTelemetry's <c>db.system.name</c>, for example <c>postgresql</c>. Null, the default, when the name that the
    /// handler was added under says it.
    /// </summary>
    string? SystemName => null;

    /// <summary>
    /// Which ids the sessions of this store have. <see cref="SessionIdFormat.Standard"/>, the default, but for stores that are shared with other software, whose records are named
    /// by the id itself (<see cref="SessionKey.TryGetId"/>).
    /// </summary>
    SessionIdFormat IdFormat => SessionIdFormat.Standard;

    /// <summary>Reads a record and moves its idle deadline, in one step.</summary>
    /// <param name="key">The session's name in the store.</param>
    /// <param name="idleTimeout">The record now lives this long from now if nothing else happens; greater than zero.</param>
    /// <param name="cancellationToken">Gives up waiting. Whether the deadline has moved is then unknown.</param>
    /// <returns>
    /// The record, or null when there is none or its idle deadline has passed. A record whose absolute deadline has passed may still be
    /// returned, the manager looks; a handler may let it live up to one idle timeout longer.
    /// </returns>
    /// <exception cref="SessionStoreException">The store failed, or holds something unreadable under this key.</exception>
    ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken);

    /// <summary>Stores a record if the one that is there has the expected version: a compare-and-swap.</summary>
    /// <param name="key">The session's name in the store.</param>
    /// <param name="expected">
    /// <see cref="SessionVersion.None"/> creates, and never overwrites. Any other version replaces exactly that version, and never creates:
    /// this is what keeps a destroyed session from coming back.
    /// </param>
    /// <param name="record">What to store, byte for byte; its version is greater than the expected one.</param>
    /// <param name="idleTimeout">Together with the record's absolute deadline, how long it lives: <see cref="SessionRecord.Lifetime"/>.</param>
    /// <param name="cancellationToken">Honoured until the commit has been sent, and not after: cancelled before, it leaves no trace.</param>
    /// <returns>Stored; or the record that is there instead; or that none is there although one was expected.</returns>
    /// <exception cref="SessionStoreException">The store failed. Whether the record was stored may be unknown.</exception>
    ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken);

    /// <summary>Removes a record whatever its version. Used for what nobody can hold an id of; ending a session is a commit.</summary>
    /// <param name="key">The session's name in the store.</param>
    /// <param name="cancellationToken">Honoured until the command has been sent.</param>
    /// <returns>Whether there was a record.</returns>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken);
}
