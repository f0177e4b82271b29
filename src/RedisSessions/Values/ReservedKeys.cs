namespace RedisSessions.Values;

/// <summary>The keys of a session that are the library's own, and what the engine keeps there: when a cookie that outlives the browser was sent.</summary>
internal static class ReservedKeys
{
    public const string Session = "_session";

    public static readonly SessionPath Root = SessionPath.Parse(Session);
    public static readonly SessionPath CookieSent = SessionPath.Parse(Session + ".cookie");

    /// <summary>Whether a key is the engine's. Literal keys that are spelled like our paths are too: a literal key wins when the path is read.</summary>
    public static bool Contain(SessionPath path) => Is(path, Session) || Is(path, FlashBag.ReservedKey);

    /// <summary>When the cookie was last sent; null when it is one that ends with the browser.</summary>
    public static DateTimeOffset? CookieSentIn(SessionTree tree) =>
        // Asked by every request, and most sessions have nothing there.
        tree.TryGet(Root, out _) && tree.TryGet(CookieSent, out var sent) && sent.Kind == SessionValueKind.Timestamp ? sent.To<DateTimeOffset>() : null;

    private static bool Is(SessionPath path, string key) =>
        path.Text.StartsWith(key, StringComparison.Ordinal) && (path.Text.Length == key.Length || path.Text[key.Length] == '.');
}
