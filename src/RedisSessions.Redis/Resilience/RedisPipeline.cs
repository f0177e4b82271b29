using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace RedisSessions.Redis;

/// <summary>
/// The one owner of retries: circuit, time for all tries, retries, time for each. The circuit is the outermost, because it is to count calls that failed for good:
/// a blip of half a second makes hundreds of failed tries and no failed call (ADR 16).
/// </summary>
internal static class RedisPipeline
{
    private const int FirstDelay = 25, LongestDelay = 250;

    public static ResiliencePipeline Create(
        RedisHandlerOptions options, TimeProvider time, CircuitBreakerStateProvider circuit, Action<RedisFailure, int> retrying, Action<CircuitState> changed,
        bool breaks = true)
    {
        var builder = new ResiliencePipelineBuilder { TimeProvider = time };
        if (options.Breaker.Enabled && breaks)
            builder.AddCircuitBreaker(Breaker(options.Breaker, circuit, changed));
        return builder
            .AddTimeout(options.Timeout)
            .AddRetry(new RetryStrategyOptions
            {
                // The operation knows how often it may be sent, and the time-out around ends the rest.
                MaxRetryAttempts = int.MaxValue,
                ShouldHandle = static arguments => new(arguments.Outcome.Exception is not null && Of(arguments.Context).Again),
                DelayGenerator = static arguments => new(Delay(arguments.AttemptNumber)),
                OnRetry = arguments =>
                {
                    retrying(Of(arguments.Context).Failure!, arguments.AttemptNumber + 1);
                    return default;
                },
            })
            .AddTimeout(options.TryTimeout)
            .Build();
    }

    private static CircuitBreakerStrategyOptions Breaker(RedisBreakerOptions options, CircuitBreakerStateProvider circuit, Action<CircuitState> changed) => new()
    {
        FailureRatio = options.FailureRatio,
        MinimumThroughput = options.MinimumThroughput,
        SamplingDuration = options.SamplingDuration,
        // Spread, so that the probes of many instances do not come together; never shorter than the half second that Polly wants.
        BreakDurationGenerator = _ => new(TimeSpan.FromSeconds(0.5)
            + (options.BreakDuration - TimeSpan.FromSeconds(0.5)) * (0.5 + Random.Shared.NextDouble() / 2)),
        StateProvider = circuit,
        ShouldHandle = static arguments => new(
            arguments.Outcome.Exception is not (null or OperationCanceledException) && Of(arguments.Context).Failure is { Down: true }),
        OnOpened = _ => Changed(changed, CircuitState.Open),
        OnHalfOpened = _ => Changed(changed, CircuitState.HalfOpen),
        OnClosed = _ => Changed(changed, CircuitState.Closed),
    };

    private static ValueTask Changed(Action<CircuitState> changed, CircuitState state)
    {
        changed(state);
        return default;
    }

    private static RedisOperation Of(ResilienceContext context) => context.Properties.GetValue(RedisOperation.Property, null!);

    /// <summary>25 ms, doubling to 250 ms, each spread over half of itself: what waits for the same server does not come back at the same moment.</summary>
    private static TimeSpan? Delay(int retry)
    {
        var delay = Math.Min(FirstDelay << Math.Min(retry, 5), LongestDelay);
        return TimeSpan.FromMilliseconds(delay * (0.5 + Random.Shared.NextDouble() / 2));
    }
}
