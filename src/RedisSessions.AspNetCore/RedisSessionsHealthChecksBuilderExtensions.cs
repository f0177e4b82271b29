using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using RedisSessions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Health checks of sessions, for the framework's <c>AddHealthChecks()</c>.</summary>
public static class RedisSessionsHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds two checks. <c>sessions</c>, tagged <c>ready</c>, asks the store for a key that nobody has, and fails from the moment the application begins to stop: a
    /// balancer asks it. <c>sessions-live</c>, tagged <c>live</c>, depends on nothing: an orchestrator that restarts what is dead asks it. Map an endpoint
    /// for each by its tag.
    /// </summary>
    /// <param name="builder">What <c>AddHealthChecks()</c> returned.</param>
    /// <param name="timeout">How long the store may take; more than half of it is degraded. Default: 2 seconds; more than zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is not positive.</exception>
    public static IHealthChecksBuilder AddRedisSessionsHealthCheck(this IHealthChecksBuilder builder, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var limit = timeout ?? TimeSpan.FromSeconds(2);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(timeout));
        return builder
            .Add(new HealthCheckRegistration("sessions", provider => new SessionHealthCheck(
                provider.GetRequiredService<ISessionHandler>(), provider.GetRequiredService<IOptions<RedisSessionsOptions>>(),
                provider.GetService<GracefulStop>() ?? throw new InvalidOperationException("Sessions are not registered: call builder.Services.AddRedisSessions() first."),
                provider.GetRequiredService<TimeProvider>(), limit), HealthStatus.Unhealthy, ["ready"]))
            .Add(new HealthCheckRegistration("sessions-live", static _ => new SessionLivenessCheck(), HealthStatus.Unhealthy, ["live"]));
    }
}
