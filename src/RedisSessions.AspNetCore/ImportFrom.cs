using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;

namespace RedisSessions;

/// <summary>Where sessions come from that visitors have when an application moves to this library; see <c>Import</c>.</summary>
public static class ImportFrom
{
    /// <summary>
    /// Sessions of the framework's own <c>AddSession</c>, whose records are in the application's <see cref="IDistributedCache"/> and whose cookies are protected by its
    /// Data Protection keys. Keep both registered until the last of these sessions has expired.
    /// </summary>
    /// <param name="cookieName">The framework's cookie, if it was renamed.</param>
    /// <param name="cookiePath">Its path, if that was set.</param>
    /// <param name="cookieDomain">Its domain, if one was set.</param>
    public static SessionImport AspNetCoreSession(string cookieName = ".AspNetCore.Session", string cookiePath = "/", string? cookieDomain = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(cookieName);
        return new AspNetCoreSessionImport(cookieName, cookiePath, cookieDomain);
    }
}

/// <summary>A place that sessions are imported from, made by <see cref="ImportFrom"/>.</summary>
public abstract class SessionImport
{
    private protected SessionImport() { }

    /// <summary>Refuses, at start, what could not work for any request.</summary>
    /// <exception cref="InvalidOperationException">Something is not registered.</exception>
    internal abstract void Check(IServiceProvider services);

    /// <summary>The session elsewhere that a request says it has, or null.</summary>
    /// <exception cref="SessionStoreException">What is needed to find that out could not be read.</exception>
    internal abstract ForeignSession? Find(HttpContext context);
}

/// <summary>A session elsewhere, by what a request has brought.</summary>
internal abstract class ForeignSession
{
    /// <summary>The id it gets here: made from the browser's secret, so that requests of one browser that import at once meet, and no dump of the other store yields it.</summary>
    public abstract SessionId Id { get; }

    /// <returns>The values by literal key; null when there is no such session.</returns>
    /// <exception cref="SessionStoreException">The other store failed, or holds something unreadable.</exception>
    public abstract ValueTask<IReadOnlyDictionary<string, byte[]>?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Removes it there. A failure is logged and harmless: it expires by itself.</summary>
    public abstract ValueTask RemoveAsync();

    /// <summary>Tells the browser to forget the other cookie.</summary>
    public abstract void ExpireCookie();
}
