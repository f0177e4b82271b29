using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Connection;

/// <summary>A server forgets its scripts when it is restarted, promoted or told to. Nobody notices, and it is counted.</summary>
public sealed class ScriptCacheTests
{
    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_script_that_the_server_has_forgotten_is_sent_as_text_once_and_counted()
    {
        await using var redis = await RedisProcess.TryStartAsync([], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: scripts are flushed on a server of our own");
        await using var instance = Instance.Create(redis!.Configuration);
        var misses = new ConcurrentQueue<(long Count, int Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Name == "redissessions.redis.script.misses" && instrument.Meter.Scope == instance.GetRequiredService<IMeterFactory>())
                listening.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) => misses.Enqueue((count, tags.Length)));
        listener.Start();
        await instance.StartAsync(CancellationToken);
        var manager = instance.Manager();
        var id = await manager.CreateSessionAsync("n", 0, CancellationToken);
        await manager.IncrementAsync(id, "n", CancellationToken);
        Assert.Empty(misses);

        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{redis.Configuration},allowAdmin=true");
        await admin.GetServers()[0].ScriptFlushAsync();
        await manager.IncrementAsync(id, "n", CancellationToken);
        await manager.IncrementAsync(id, "n", CancellationToken);

        Assert.Equal((1, 0), Assert.Single(misses));
        Assert.Equal(3, await manager.CountAsync(id, "n", CancellationToken));
    }
}
