using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;

namespace RedisSessions.Redis.Tests;

/// <summary>What is counted while Redis comes and goes, on a server of our own.</summary>
public sealed class RedisMetricsTests
{
    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Retries_the_circuit_and_the_connection_are_counted_without_a_host_or_an_id()
    {
        await using var redis = await RedisProcess.TryStartAsync([], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: outages are made on a server of our own");
        await using var instance = Instance.Create(redis!.Configuration, options => options.Timeout = options.TryTimeout = TimeSpan.FromSeconds(0.5));
        var seen = new ConcurrentQueue<(string Name, double Value, string Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Meter.Name == "RedisSessions" && instrument.Meter.Scope == instance.GetRequiredService<IMeterFactory>())
                listening.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Keep(instrument, value, tags));
        listener.Start();

        await instance.StartAsync(CancellationToken);
        await SelfTestTests.ReadAsync(instance);
        Assert.Equal((1, 0), (Gauge("redissessions.redis.connected"), Gauge("redissessions.redis.circuit.state")));
        await redis.KillAsync();
        for (var call = 0; call < 2; call++)
            await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Record.ExceptionAsync(() => SelfTestTests.ReadAsync(instance)).AsTask()));
        Assert.Equal((0, 2), (Gauge("redissessions.redis.connected"), Gauge("redissessions.redis.circuit.state")));
        await redis.RestartAsync(CancellationToken);
        await Poll.UntilAsync(
            async () => await Record.ExceptionAsync(() => SelfTestTests.ReadAsync(instance)) is null, TimeSpan.FromSeconds(20), "sessions work again", CancellationToken);

        Assert.Equal((1, 0), (Gauge("redissessions.redis.connected"), Gauge("redissessions.redis.circuit.state")));
        var changes = seen.Where(measurement => measurement.Name == "redissessions.redis.circuit").Select(measurement => measurement.Tags).ToList();
        Assert.Equal("state=open", changes[0]);
        Assert.Equal("state=closed", changes[^1]);
        Assert.All(seen, measurement => Assert.Matches(@"^((state|reason)=[a-z_]+)?$", measurement.Tags));

        void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            seen.Enqueue((instrument.Name, value, string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))));

        int Gauge(string name)
        {
            listener.RecordObservableInstruments();
            return (int)seen.Last(measurement => measurement.Name == name).Value;
        }
    }
}
