using RedisSessions.Conformance;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>Figures, not verdicts; how to run them is in <c>docs/measurements.md</c>.</summary>
public sealed class Measurements
{
    [Fact(Explicit = true)]
    public async Task A_read_and_a_commit_among_a_thousand_sessions_and_among_a_hundred_thousand()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        // One of its own: what others keep there would count.
        await using var redis = await RedisProcess.TryStartAsync([], cancellationToken);
        if (redis is null)
            Assert.Skip("no redis-server on the PATH.");
        await using var instance = Instance.Create(redis.Configuration);
        await instance.WarmUpAsync(cancellationToken);
        await HandlerCost.FillAsync(instance.Handler(), 1_000, cancellationToken);
        var few = await HandlerCost.OfAsync(instance.Handler(), cancellationToken);
        await HandlerCost.FillAsync(instance.Handler(), 99_000, cancellationToken);
        await HandlerCost.CompareAsync("redis", few, await HandlerCost.OfAsync(instance.Handler(), cancellationToken));
    }

    [Fact(Explicit = true)]
    public async Task What_the_pipeline_allocates_around_a_read()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var redis = await RedisProcess.TryStartAsync([], cancellationToken);
        if (redis is null)
            Assert.Skip("no redis-server on the PATH.");
        await using var instance = Instance.Create(redis.Configuration);
        await using var client = await ConnectionMultiplexer.ConnectAsync(redis.Configuration);
        await instance.WarmUpAsync(cancellationToken);
        var (key, database) = (SessionKey.From(SessionId.New()), client.GetDatabase());

        var bare = await BytesAsync(() => database.StringGetSetExpiryAsync("session:" + key.Value, TimeSpan.FromMinutes(1)));
        var ours = await BytesAsync(() => instance.Handler().ReadAsync(key, TimeSpan.FromMinutes(1), cancellationToken).AsTask());
        await Console.Error.WriteLineAsync($"MEASURED: bytes allocated by a read of nothing: the client alone {bare}, through the handler {ours}");

        static async Task<long> BytesAsync(Func<Task> read)
        {
            for (var i = 0; i < 2_000; i++)
                await read();
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < 10_000; i++)
                await read();
            return (GC.GetTotalAllocatedBytes(precise: true) - before) / 10_000;
        }
    }
}
