using RedisSessions.Conformance;
using RedisSessions.TestServers;

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
}
