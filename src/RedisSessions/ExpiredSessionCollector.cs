using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RedisSessions.Diagnostics;

namespace RedisSessions;

/// <summary>Now and then removes expired records from a store that does not do so by itself. A failure is logged and waits for the next time.</summary>
internal sealed class ExpiredSessionCollector(
    ISessionHandler handler, IOptions<RedisSessionsOptions> options, TimeProvider time, ILogger<ExpiredSessionCollector> logger,
    IMeterFactory? meters = null) : BackgroundService
{
    private readonly SessionMetrics _metrics = new(options.Value.Handler ?? handler.GetType().Name, meters);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (handler is not IExpiredSessions store)
            return;
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = options.Value.CollectEvery * (1 + Random.Shared.NextDouble() / 2);
            await Task.Delay(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
                await CollectAsync(store, stoppingToken).ConfigureAwait(false);
        }
    }

    private async Task CollectAsync(IExpiredSessions store, CancellationToken stoppingToken)
    {
        var started = time.GetTimestamp();
        try
        {
            var count = await store.CollectAsync(stoppingToken).ConfigureAwait(false);
            _metrics.Collected(count);
            Log.Collected(logger, count, time.GetElapsedTime(started).TotalMilliseconds);
        }
        catch (SessionStoreException e)
        {
            Log.NotCollected(logger, e);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The next process goes on where this one stopped.
        }
    }
}
