namespace RedisSessions.Values;

/// <summary>What the engine itself keeps in a session, under a reserved key: the browser that signed in, and when a cookie that outlives the browser was sent.</summary>
internal static class SessionNotes
{
    public const string ReservedKey = "_session";

    public static readonly SessionPath Root = SessionPath.Parse(ReservedKey);
    public static readonly SessionPath Agent = SessionPath.Parse(ReservedKey + ".agent");
    public static readonly SessionPath CookieSent = SessionPath.Parse(ReservedKey + ".cookie");

    /// <summary>Whether a key is the engine's. Literal keys that are spelled like our paths are too: a literal key wins when the path is read.</summary>
    public static bool IsReserved(SessionPath path) => Is(path, ReservedKey) || Is(path, FlashBag.ReservedKey);

    public static string? AgentIn(SessionTree tree) =>
        tree.TryGet(Agent, out var agent) && agent.Kind == SessionValueKind.String ? agent.To<string>() : null;

    /// <summary>When the cookie was last sent; null when it is one that ends with the browser.</summary>
    public static DateTimeOffset? CookieSentIn(SessionTree tree) =>
        // Asked by every request, and most sessions have no notes at all.
        tree.TryGet(Root, out _) && tree.TryGet(CookieSent, out var sent) && sent.Kind == SessionValueKind.Timestamp ? sent.To<DateTimeOffset>() : null;

    private static bool Is(SessionPath path, string key) =>
        path.Text.StartsWith(key, StringComparison.Ordinal) && (path.Text.Length == key.Length || path.Text[key.Length] == '.');
}
