namespace RedisSessions;

/// <summary>
/// A handler that can find the sessions of a user implements this too; <see cref="ISessionDirectory"/> rests on it. Such a handler puts a session into its
/// index before it commits a record with <see cref="SessionRecord.IndexUser"/>: a session that is alive is never missing. What is there too much (sessions that
/// have expired, ended, or are somebody else's by now) does no harm: whoever looks compares with the record, and the handler forgets it when it notices.
/// </summary>
public interface ISessionIndex
{
    /// <summary>The sessions that may belong to a user. Looking moves no deadline.</summary>
    /// <param name="userId">The user, as in <see cref="SessionRecord.UserId"/>; never a part of a name in the store as it is.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>In no order; without those that have expired.</returns>
    /// <exception cref="SessionStoreException">The store failed. A record that cannot be read fails the whole: nobody is to believe that a session is not there.</exception>
    ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken);
}

/// <summary>A session that an index has found.</summary>
/// <param name="Key">Its name in the store.</param>
/// <param name="Record">What is stored there now.</param>
/// <param name="IdleDeadline">When it ends if nobody uses it; what is known of when it was last used.</param>
public sealed record IndexedSession(SessionKey Key, SessionRecord Record, DateTimeOffset IdleDeadline);
