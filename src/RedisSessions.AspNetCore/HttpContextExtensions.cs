using Microsoft.AspNetCore.Http;

namespace RedisSessions;

/// <summary>The session of a request.</summary>
public static class HttpContextExtensions
{
    /// <summary>The session of this request; the same one that dependency injection gives.</summary>
    /// <param name="context">The request.</param>
    /// <exception cref="InvalidOperationException">The session middleware has not run for this request, or the endpoint has no session access.</exception>
    public static Session GetSession(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<SessionExchange>()?.Session ?? throw Missing();
    }

    internal static InvalidOperationException Missing() => new(
        "This request has no session: call app.UseRedisSessions() before the endpoint runs, and do not give the endpoint SessionAccess.None.");
}
