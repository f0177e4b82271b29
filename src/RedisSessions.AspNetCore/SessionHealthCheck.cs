using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>
/// Readiness: whether a request with a session would be served. Reads a key that nobody has, which makes nothing and moves no deadline, the way a request would.
/// </summary>
/// <param name="handler">The handler in use.</param>
/// <param name="options">How sessions behave.</param>
/// <param name="stop">Whether this instance is on its way out.</param>
/// <param name="time">For the time-out.</param>
/// <param name="timeout">How long the store may take.</param>
internal sealed class SessionHealthCheck(
    ISessionHandler handler, IOptions<RedisSessionsOptions> options, GracefulStop stop, TimeProvider time, TimeSpan timeout) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (stop.HasBegun)
            return HealthCheckResult.Unhealthy("This instance is shutting down.", data: Data("stopping"));

        var started = time.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            // A handler may take its time to heed a token, or not heed it at all.
            await handler.ReadAsync(SessionKey.From(SessionId.New(handler.IdFormat)), options.Value.IdleTimeout, limit.Token).AsTask().WaitAsync(timeout, time, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            await limit.CancelAsync();
            var reason = e is TimeoutException
                ? string.Create(CultureInfo.InvariantCulture, $"The session store has not answered within {timeout.TotalSeconds} s.")
                : "The session store does not answer as it should.";
            var data = Data(e is TimeoutException ? "timeout" : "failed", time.GetElapsedTime(started));
            // By type only: what a store's client says may name more than a health page should show.
            data.Add("error", ((e as SessionStoreException)?.InnerException ?? e).GetType().Name);
            return options.Value.OnStoreFailure == StoreFailureBehavior.Anonymous
                ? HealthCheckResult.Degraded($"{reason} Visitors are served without their sessions.", data: data)
                : new HealthCheckResult(context.Registration.FailureStatus, reason, data: data);
        }

        var took = time.GetElapsedTime(started);
        return took > timeout / 2
            ? HealthCheckResult.Degraded(string.Create(CultureInfo.InvariantCulture, $"The session store is slow: {took.TotalMilliseconds:F0} ms."), data: Data("slow", took))
            : HealthCheckResult.Healthy("The session store answers.", Data("ok", took));
    }

    private Dictionary<string, object> Data(string outcome, TimeSpan? took = null)
    {
        var data = new Dictionary<string, object>(StringComparer.Ordinal) { ["handler"] = options.Value.Handler ?? "", ["outcome"] = outcome };
        if (took is { } elapsed)
            data.Add("milliseconds", Math.Round(elapsed.TotalMilliseconds, 1));
        return data;
    }
}

/// <summary>Liveness: that the process answers at all. It asks nothing of the store, whose failure no restart of this process repairs.</summary>
internal sealed class SessionLivenessCheck : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(HealthCheckResult.Healthy("The process answers."));
}
