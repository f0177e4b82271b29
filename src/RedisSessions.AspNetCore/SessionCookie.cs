using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>The cookie in and out: the one place that knows names and flags.</summary>
internal sealed class SessionCookie(
    SessionManager manager, IOptions<SessionCookieOptions> options, IHostEnvironment environment, TimeProvider time, RequestMetrics metrics, ILogger<SessionCookie> logger)
{
    // Three characters for one at worst, as PHP encodes the commas of its ids.
    private const int LongestPhpValue = 3 * 256;

    private readonly SessionCookieOptions _options = options.Value;
    private readonly LaravelCookie? _laravel = LaravelOf(options.Value.Laravel, manager.IdFormat);
    private readonly bool _development = environment.IsDevelopment();

    /// <summary>
    /// The id that a request brings. Two different ones are none: a sibling host or a path may have planted one of them, and nobody can tell which.
    /// </summary>
    public SessionId? Read(HttpContext context)
    {
        var headers = context.Request.Headers.Cookie;
        if (headers.Count == 0)
            return null;
        var name = NameFor(context.Request);
        SessionId? found = null;
        var others = false;
        foreach (var value in new CookieValues(headers, name))
        {
            if (TryRead(name, value.Trim('"'), out var id) && (found is null || found == id))
                found = id;
            else
                others = true;
        }

        if (found is null || !others)
            return found;
        metrics.Ambiguous();
        Log.AmbiguousCookie(logger);
        return null;
    }

    public void Write(HttpContext context, Session session)
    {
        switch (SessionManager.CookieFor(session))
        {
            case SessionCookieAction.Issue:
                var name = NameFor(context.Request);
                context.Response.Cookies.Append(name, _laravel?.Write(name, session.Id) ?? session.Id, Flags(context.Request, session));
                break;
            case SessionCookieAction.Expire:
                context.Response.Cookies.Delete(NameFor(context.Request), Flags(context.Request));
                break;
            default:
                return;
        }

        // A shared cache must never hand one visitor's cookie to another.
        context.Response.Headers.CacheControl = "no-store";
    }

    private static LaravelCookie? LaravelOf(LaravelCookieOptions options, SessionIdFormat ids) =>
        LaravelCookie.Create(options) is var laravel && (laravel is null || ids != SessionIdFormat.Standard)
            ? laravel
            : throw new InvalidOperationException(
                "Sessions:Cookie:Laravel:AppKey is set, and the sessions of this handler have ids that Laravel does not take: set the handler's Layout to Laravel "
                + "(Sessions:Redis:Layout, Sessions:Database:Layout or Sessions:File:Layout), or remove AppKey.");

    private bool TryRead(string name, ReadOnlySpan<char> value, out SessionId id)
    {
        id = default;
        if (_laravel is not null)
            return SessionId.TryParse(_laravel.Read(name, value), manager.IdFormat, out id);
        if (manager.IdFormat == SessionIdFormat.Standard)
            return value.Length == SessionId.Length && SessionId.TryParse(value.ToString(), out id);
        return value.Length <= LongestPhpValue && SessionId.TryParse(Uri.UnescapeDataString(value), manager.IdFormat, out id);
    }

    private string NameFor(HttpRequest request)
    {
        if (!IsPlainDevelopment(request))
            return _options.Name;
        return _options.Name switch
        {
            ['_', '_', 'H', 'o', 's', 't', '-', .. var rest] => rest,
            ['_', '_', 'S', 'e', 'c', 'u', 'r', 'e', '-', .. var rest] => rest,
            var name => name,
        };
    }

    private bool IsPlainDevelopment(HttpRequest request) => _development && !request.IsHttps;

    private CookieOptions Flags(HttpRequest request, Session session)
    {
        var flags = Flags(request);
        if (session.IsPersistent)
        {
            // As long as the session at most, which ends at the earlier of two deadlines.
            var (now, idle) = (time.GetUtcNow(), session.IdleTimeout);
            var left = session.CreatedAt + session.AbsoluteTimeout - now;
            flags.MaxAge = left < idle ? left : idle;
            flags.Expires = now + flags.MaxAge;
        }

        return flags;
    }

    private CookieOptions Flags(HttpRequest request) => new()
    {
        HttpOnly = true,
        Secure = !IsPlainDevelopment(request) && _options.SecurePolicy switch
        {
            CookieSecurePolicy.Always => true,
            CookieSecurePolicy.SameAsRequest => request.IsHttps,
            _ => false,
        },
        SameSite = _options.SameSite,
        Domain = _options.Domain,
        Path = _options.Path,
        IsEssential = _options.IsEssential,
    };
}
