namespace RedisSessions;

/// <summary>
/// The sessions of a user, over all instances: for a page "where you are signed in", for "sign out everywhere", and for ending all sessions after a change of
/// password. A service, if the handler has an index; the built-in ones do. Whose a session is, <see cref="RedisSessionsOptions.UserKey"/> says.
/// </summary>
public interface ISessionDirectory
{
    /// <summary>The sessions of a user, the most recently used first. Listing moves no deadline.</summary>
    /// <param name="userId">The user: the text of what sessions hold at <see cref="RedisSessionsOptions.UserKey"/>.</param>
    /// <param name="current">The session of this request, to be marked in the list; null when there is none.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    ValueTask<IReadOnlyList<SessionInfo>> ListAsync(string userId, Session? current = null, CancellationToken cancellationToken = default);

    /// <summary>Ends one session of a user, for good: as <see cref="Session.Destroy"/> does, but from outside.</summary>
    /// <param name="userId">The user; a session of somebody else is left alone.</param>
    /// <param name="key">From <see cref="SessionInfo.Key"/>.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>Whether there was such a session.</returns>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    ValueTask<bool> EndAsync(string userId, SessionKey key, CancellationToken cancellationToken = default);

    /// <summary>Ends all sessions of a user but one: "sign out everywhere else".</summary>
    /// <param name="current">The session that stays; its user's others end. A session of nobody ends nothing.</param>
    /// <param name="cancellationToken">Gives up waiting; what has ended by then stays so.</param>
    /// <returns>How many ended.</returns>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    ValueTask<int> EndOthersAsync(Session current, CancellationToken cancellationToken = default);

    /// <summary>Ends all sessions of a user, for example after a change of password.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Gives up waiting; what has ended by then stays so.</param>
    /// <returns>How many ended.</returns>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    ValueTask<int> EndAllAsync(string userId, CancellationToken cancellationToken = default);
}

/// <summary>What a user may know of one of their sessions.</summary>
/// <param name="Key">Names the session, for <see cref="ISessionDirectory.EndAsync"/>. No secret: it opens nothing.</param>
/// <param name="CreatedAt">When it began.</param>
/// <param name="LastSeenAt">When it was last used, as far as the store knows: file and database notice a use only after a tenth of the idle timeout.</param>
/// <param name="UserAgent">The browser it was signed in with, as that called itself; null when it did not. Text from outside: encode it.</param>
/// <param name="ClientAddress">The address it was signed in from, as <see cref="Session.ClientAddress"/> was; null when that was not known.</param>
/// <param name="SignedInAt">When it became the user's; a new id does not change it.</param>
/// <param name="IsCurrent">Whether it is the session of this request.</param>
public sealed record SessionInfo(
    SessionKey Key, DateTimeOffset CreatedAt, DateTimeOffset LastSeenAt, string? UserAgent, string? ClientAddress, DateTimeOffset? SignedInAt, bool IsCurrent);
