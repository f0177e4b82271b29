using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace RedisSessions.Database;

/// <summary>
/// The one owner of retries. Tries again what is safe to repeat when a deadlock, a locked database or a lost connection kept it from working: reading is, and
/// committing is, because the record carries the id of its commit.
/// </summary>
internal static class StoreRetry
{
    public static ResiliencePipeline Create(SqlDialect dialect, int tries, TimeProvider time, ILogger logger)
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
                ShouldHandle = arguments => new(arguments.Outcome.Exception is { } e && dialect.IsTransient(e)),
                OnRetry = arguments =>
                {
                    Log.Retrying(logger, arguments.AttemptNumber + 1, arguments.Outcome.Exception!.GetType().Name);
                    return default;
                },
            });
        }

        return builder.Build();
    }
}
