namespace RedisSessions;

/// <summary>Which ids there are, and which name a session's record has in the store. A handler says it; see <see cref="ISessionHandler.IdFormat"/>.</summary>
public enum SessionIdFormat
{
    /// <summary>256 random bits as 43 characters of base64url. The store sees their hash only.</summary>
    Standard = 0,

    /// <summary>
    /// What PHP takes for an id: 22 to 256 letters, digits, commas and hyphens. Records are named by the id itself, because PHP looks for them there: who can read the store
    /// can take over the sessions in it.
    /// </summary>
    Php = 1,

    /// <summary>What Laravel takes for an id: 40 letters and digits. Records are named by the id itself, as with <see cref="Php"/>.</summary>
    Laravel = 2,
}
