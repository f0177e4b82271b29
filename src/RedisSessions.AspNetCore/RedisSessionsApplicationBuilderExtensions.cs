using Microsoft.Extensions.DependencyInjection;
using RedisSessions;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts sessions into the pipeline.</summary>
public static class RedisSessionsApplicationBuilderExtensions
{
    /// <summary>
    /// Loads the session before the rest of the pipeline and commits it when the response starts. Place it after error handling and
    /// before what uses the session; in place of <c>UseSession()</c>.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <exception cref="InvalidOperationException"><c>AddRedisSessions</c> was not called, what <c>Import</c> needs is not registered, or a cookie of Laravel's is to hold ids that it does not take.</exception>
    public static IApplicationBuilder UseRedisSessions(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.ApplicationServices.GetService<SessionCookie>() is null)
            throw new InvalidOperationException("Sessions are not registered: call builder.Services.AddRedisSessions() first.");
        foreach (var import in app.ApplicationServices.GetServices<SessionImport>())
            import.Check(app.ApplicationServices);
        return app.UseMiddleware<SessionMiddleware>();
    }
}
