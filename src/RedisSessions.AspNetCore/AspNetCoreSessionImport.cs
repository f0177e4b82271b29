using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RedisSessions;

/// <summary>
/// Sessions of the framework's middleware. Its cookie is a key of 36 characters, protected for the purpose "SessionMiddleware", in base64 without padding; under that
/// key the cache holds the values (<see cref="AspNetCoreSessionRecord"/>).
/// </summary>
internal sealed class AspNetCoreSessionImport(string cookieName, string cookiePath, string? cookieDomain) : SessionImport
{
    private const string Purpose = "SessionMiddleware";
    private const int KeyLength = 36;

    // What the framework makes has about 200; more is somebody's attempt to keep us busy.
    private const int LongestCookie = 1024;

    // Three characters for one at worst.
    private const int LongestEncoded = 3 * LongestCookie;

    internal override void Check(IServiceProvider services)
    {
        if (services.GetService<IDistributedCache>() is null)
        {
            throw new InvalidOperationException(
                "ImportFrom.AspNetCoreSession() reads the application's distributed cache, and there is none: keep the registration that AddSession() used, "
                + "for example builder.Services.AddStackExchangeRedisCache(...).");
        }
    }

    internal override ForeignSession? Find(HttpContext context) =>
        OnlyCookie(context.Request) is { Length: > 0 and <= LongestCookie } cookie && TryUnprotect(context, cookie, out var key)
            ? new Found(this, context, cookie, key)
            : null;

    /// <summary>The cookie's value, decoded. Two different ones are none, as with the session's own cookie; a name is what it is, letter by letter.</summary>
    private string? OnlyCookie(HttpRequest request)
    {
        string? only = null;
        foreach (var value in new CookieValues(request.Headers.Cookie, cookieName))
        {
            if (value.Length > LongestEncoded || Uri.UnescapeDataString(value) is var decoded && (only ?? decoded) != decoded)
                return null;
            only ??= decoded;
        }

        return only;
    }

    private static bool TryUnprotect(HttpContext context, string cookie, [NotNullWhen(true)] out string? key)
    {
        key = null;
        try
        {
            var bytes = Convert.FromBase64String(cookie.PadRight((cookie.Length + 3) / 4 * 4, '='));
            key = Encoding.UTF8.GetString(context.RequestServices.GetRequiredService<IDataProtectionProvider>().CreateProtector(Purpose).Unprotect(bytes));
        }
        catch (CryptographicException e) when (e.InnerException is not (null or CryptographicException or FormatException))
        {
            // The cookie may well be good: Data Protection reports in this way that it could not read its own keys.
            throw new SessionStoreException("import", "read", "the Data Protection keys, which open the cookie of a session of before, could not be used.", e);
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            // Not ours, or its key is gone: then its session is too.
            return false;
        }

        return key.Length == KeyLength;
    }

    private sealed class Found(AspNetCoreSessionImport import, HttpContext context, string cookie, string key) : ForeignSession
    {
        private IDistributedCache Cache => context.RequestServices.GetRequiredService<IDistributedCache>();

        // From the cookie and not from the key: the key stands in the cache, the cookie only in the browser.
        public override SessionId Id
        {
            get
            {
                var hash = SHA256.HashData(Encoding.UTF8.GetBytes("RedisSessions import " + cookie));
                return SessionId.TryParse(Base64Url.EncodeToString(hash), out var id) ? id : throw new InvalidOperationException("A hash is an id.");
            }
        }

        public override async ValueTask<IReadOnlyDictionary<string, byte[]>?> ReadAsync(CancellationToken cancellationToken)
        {
            byte[]? bytes;
            try
            {
                bytes = await Cache.GetAsync(key, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new SessionStoreException("import", "read", "the distributed cache with the sessions of before did not answer as it should.", e);
            }

            try
            {
                return bytes is null ? null : AspNetCoreSessionRecord.Read(bytes);
            }
            catch (FormatException e)
            {
                throw new SessionStoreException("import", "read", e.Message, e);
            }
        }

        public override async ValueTask RemoveAsync()
        {
            try
            {
                await Cache.RemoveAsync(key, CancellationToken.None);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Log.NotRemoved(context.RequestServices.GetRequiredService<ILogger<AspNetCoreSessionImport>>(), e);
            }
        }

        public override void ExpireCookie() =>
            context.Response.Cookies.Delete(import.CookieName, new CookieOptions { Path = import.CookiePath, Domain = import.CookieDomain, HttpOnly = true });
    }

    private string CookieName => cookieName;

    private string CookiePath => cookiePath;

    private string? CookieDomain => cookieDomain;
}
