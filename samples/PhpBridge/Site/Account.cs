using RedisSessions;

namespace PhpBridge.Site;

/// <summary>Who is logged in. There are no passwords here: what is shown is what happens to the session.</summary>
internal static class Account
{
    public static IReadOnlyDictionary<int, string> Users { get; } = new Dictionary<int, string> { [1] = "Mira", [2] = "Noor", [3] = "Sam" };

    public static void LogIn(Session session, int user)
    {
        if (!Users.TryGetValue(user, out var name))
            return;
        session["account.current_user_id"] = user;
        session["account.name"] = name;
        session["account.logged_in_by"] = ".NET";
        session["message"] = $"Welcome, {name}. .NET logged you in, and PHP knows you.";
        FormToken.Renew(session);
        // A new id whenever somebody becomes somebody else: an id that was planted before the login is worth nothing after it.
        session.RegenerateId(deleteOld: true);
    }

    /// <summary>The first characters of the id's hash, as PHP's half computes them too. The id itself is the visitor's key to the session and is shown to nobody.</summary>
    public static string Fingerprint(Session session) =>
        !session.IsNew && SessionId.TryParse(session.Id, SessionIdFormat.Php, out var id) ? SessionKey.From(id).Value[..8] : "";
}
