using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// The one owner of retries. Tries again what is safe to repeat when the connection was lost, was silent, or the server said "not now": reading is, and
/// committing is, because the record carries the id of its commit.
/// </summary>
internal static class StoreRetry
{
    public static ResiliencePipeline Create(int tries, TimeProvider time, ILogger logger)
    {
        var builder = new ResiliencePipelineBuilder { TimeProvider = time };
        if (tries > 1)
        {
            builder.AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = tries - 1,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromMilliseconds(50),
                MaxDelay = TimeSpan.FromMilliseconds(500),
                ShouldHandle = arguments => new(arguments.Outcome.Exception is { } e && IsTransient(e)),
                OnRetry = arguments =>
                {
                    Log.Retrying(logger, arguments.AttemptNumber + 1, arguments.Outcome.Exception!.GetType().Name);
                    return default;
                },
            });
        }

        return builder.Build();
    }

    /// <summary>Whether the same command may succeed in a moment.</summary>
    public static bool IsTransient(Exception e) => e switch
    {
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } => false,
        RedisConnectionException or RedisTimeoutException => true,
        RedisServerException server => server.Message.StartsWith("READONLY", StringComparison.Ordinal)
            || server.Message.StartsWith("LOADING", StringComparison.Ordinal)
            || server.Message.StartsWith("CLUSTERDOWN", StringComparison.Ordinal)
            || server.Message.StartsWith("MASTERDOWN", StringComparison.Ordinal)
            || server.Message.StartsWith("TRYAGAIN", StringComparison.Ordinal)
            || server.Message.StartsWith("NOREPLICAS", StringComparison.Ordinal),
        _ => false,
    };
}
