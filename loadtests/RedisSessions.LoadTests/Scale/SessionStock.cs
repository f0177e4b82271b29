namespace RedisSessions.LoadTests.Scale;

/// <summary>So many sessions in one database of a Redis.</summary>
/// <param name="Sessions">How many.</param>
/// <param name="Cookies">Cookies of sessions from all over them, at most <see cref="StockedRedis.MostCookies"/>.</param>
internal sealed record SessionStock(int Sessions, IReadOnlyList<string> Cookies);
