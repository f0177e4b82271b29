using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace RedisSessions.Redis;

/// <summary>
/// The one owner of retries: circuit, time for all tries, retries, time for each. The circuit is the outermost, because it is to count calls that failed for good:
/// a blip of half a second makes hundreds of failed tries and no failed call (ADR 16).
/// </summary>
internal static class RedisPipeline
{
    private const int FirstDelay = 25, LongestDelay = 250;
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(100);

    /// <summary>The circuit alone; one that is always closed when the settings want none.</summary>
    public static ResiliencePipeline Circuit(RedisBreakerOptions options, TimeProvider time, CircuitBreakerStateProvider state, Action<CircuitState> changed) =>
        options.Enabled
            ? new ResiliencePipelineBuilder { TimeProvider = time }.AddCircuitBreaker(Breaker(options, state, changed)).Build()
            : ResiliencePipeline.Empty;

    /// <param name="options">How often and how long.</param>
    /// <param name="time">The clock.</param>
    /// <param name="circuit">What <see cref="Circuit"/> has made.</param>
    /// <param name="endsTries">Whether the client itself ends a try, and says whether it had been sent: it is given the time to say so.</param>
    /// <param name="retrying">Hears of each failure that is followed by another try.</param>
    public static ResiliencePipeline Create(
        RedisHandlerOptions options, TimeProvider time, ResiliencePipeline circuit, Func<bool> endsTries, Action<RedisFailure, int> retrying) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddPipeline(circuit)
            .AddTimeout(new TimeoutStrategyOptions { TimeoutGenerator = arguments => new(Left(options.Timeout, time.GetElapsedTime(Of(arguments.Context).Started))) })
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
            .AddTimeout(new TimeoutStrategyOptions { TimeoutGenerator = _ => new(endsTries() ? options.TryTimeout * 1.25 + Grace : options.TryTimeout) })
            .Build();

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

    /// <summary>The first try is over when the pipeline begins. No time at all would mean no end to Polly.</summary>
    private static TimeSpan Left(TimeSpan timeout, TimeSpan elapsed) => timeout - elapsed is { Ticks: > TimeSpan.TicksPerMillisecond } left ? left : TimeSpan.FromMilliseconds(1);

    /// <summary>25 ms, doubling to 250 ms, each spread over half of itself: what waits for the same server does not come back at the same moment.</summary>
    private static TimeSpan? Delay(int retry)
    {
        var delay = Math.Min(FirstDelay << Math.Min(retry, 5), LongestDelay);
        return TimeSpan.FromMilliseconds(delay * (0.5 + Random.Shared.NextDouble() / 2));
    }
}
