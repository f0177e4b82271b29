using RedisSessions;

namespace WebFarm.Shop;

/// <summary>Who is logged in. There are no passwords here: what is shown is what happens to the session.</summary>
internal static class Account
{
    public static string? Name(Session session) => session.Get<string>("account.name");

    /// <summary>A new id whenever somebody becomes somebody else: an id that was planted or seen before the login is worth nothing after it.</summary>
    public static void LogIn(Session session, string user)
    {
        session.Flash("account.before", Fingerprint(session));
        session["account.name"] = user;
        FormToken.Renew(session);
        session.RegenerateId(deleteOld: true);
    }

    public static void LogOut(Session session) => session.Destroy(expireCookie: true);

    /// <summary>The first characters of the id's hash. The id itself is the visitor's key to the session and is shown to nobody.</summary>
    public static string Fingerprint(Session session) =>
        SessionId.TryParse(session.Id, out var id) ? SessionKey.From(id).Value[..8] : "";
}
