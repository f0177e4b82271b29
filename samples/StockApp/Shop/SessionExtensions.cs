using System.Text.Json;

namespace StockApp.Shop;

/// <summary>Objects in a session, as applications have it since the framework's documentation showed it.</summary>
internal static class SessionExtensions
{
    public static void SetJson<T>(this ISession session, string key, T value) => session.Set(key, JsonSerializer.SerializeToUtf8Bytes(value));

    public static T? GetJson<T>(this ISession session, string key) =>
        session.TryGetValue(key, out var bytes) ? JsonSerializer.Deserialize<T>(bytes) : default;
}
