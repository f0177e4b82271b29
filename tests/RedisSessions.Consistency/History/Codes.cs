namespace RedisSessions.Consistency.History;

/// <summary>The names of the promises that can be broken; they are stable, since known holes and seeds name them.</summary>
internal static class Codes
{
    /// <summary>No order of the transactions in real time gives their answers, and no narrower code explains it.</summary>
    public const string NotSerializable = "not-serializable";

    /// <summary>An acknowledged change is missing.</summary>
    public const string Lost = "lost";

    /// <summary>A change is there twice.</summary>
    public const string Twice = "twice";

    /// <summary>A change is there that was answered 409.</summary>
    public const string AppliedThoughRefused = "applied-though-refused";

    /// <summary>A change is there that was given up before it was sent.</summary>
    public const string AppliedThoughAbandoned = "applied-though-abandoned";

    /// <summary>
    /// An update whose delegate only gave a new id, a lifetime or an end acted on values that were not current at its place.
    /// </summary>
    public const string UpdateActedOnStale = "update-acted-on-stale";

    /// <summary>A decision on flashed values is compared with nothing.</summary>
    public const string FlashNotGuarded = "flash-not-guarded";

    /// <summary>Two requests pulled one flashed value.</summary>
    public const string FlashPulledTwice = "flash-pulled-twice";

    /// <summary>A flashed value was gone before any request could see it.</summary>
    public const string FlashVanished = "flash-vanished";

    /// <summary>A look at everything (all values, keys, lifetimes) is compared with nothing.</summary>
    public const string WholeReadNotGuarded = "whole-read-not-guarded";

    /// <summary>What plain code read before an update is compared with nothing at its next commit.</summary>
    public const string CarriedReadNotGuarded = "carried-read-not-guarded";

    /// <summary>A literal key and the path of the same text are one.</summary>
    public const string LiteralMeetsPath = "literal-meets-path";

    /// <summary>A read is older than allowed.</summary>
    public const string StaleRead = "stale-read";

    /// <summary>A browser does not read what it was told is stored.</summary>
    public const string ReadYourWrites = "read-your-writes";

    /// <summary>A session is seen, or gets a cookie, after its logout was acknowledged.</summary>
    public const string EndedSessionReturned = "ended-session-returned";

    /// <summary>An id leads to the session after a login was acknowledged that killed it.</summary>
    public const string DeadIdLives = "dead-id-lives";

    /// <summary>A session that was used within its idle timeout is gone.</summary>
    public const string LiveSessionLost = "live-session-lost";

    /// <summary>An id that was rotated away does not lead to the session within the grace time.</summary>
    public const string OldIdInGraceLost = "old-id-in-grace-lost";

    /// <summary>A cookie that was issued never led anywhere.</summary>
    public const string OrphanCookie = "orphan-cookie";

    /// <summary>A session was stored, or moved to a new id, and the browser was told no cookie.</summary>
    public const string CookieMissing = "cookie-missing";

    /// <summary>A request got a cookie for an id that it did not ask for.</summary>
    public const string UnaskedCookie = "unasked-cookie";

    /// <summary>A conflict was answered, and nothing that was read has changed.</summary>
    public const string RefusedWithoutConflict = "refused-without-conflict";

    /// <summary>The session was said to have ended, and nobody has ended it.</summary>
    public const string EndedWithoutEnd = "ended-without-end";

    /// <summary>After a commit or update that was cancelled before it was sent, a later one fails.</summary>
    public const string CancellationPoisons = "cancellation-poisons";

    /// <summary>The store was said to have failed, and it has not.</summary>
    public const string FailedWithoutFault = "failed-without-fault";

    /// <summary>A commit ran out of time because delegates of others waited.</summary>
    public const string HeldUp = "held-up";

    /// <summary>An exception or a status that nothing promises.</summary>
    public const string BrokenAnswer = "broken-answer";

    /// <summary>A request never ended.</summary>
    public const string NeverAnswered = "never-answered";

    /// <summary>No verdict: the search for an order was given up.</summary>
    public const string Undecided = "undecided";
}
