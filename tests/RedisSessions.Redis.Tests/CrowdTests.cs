using RedisSessions.TestServers;

namespace RedisSessions.Redis.Tests;

/// <summary>Many instances change one session all the time. One that has waited after a conflict comes late again, so somebody may come late until the tries are over.</summary>
public sealed class CrowdTests(RedisServerFixture redis) : EngineTests(redis)
{
    private const int Instances = 12, Visitors = 4, Times = 400;

    [Fact]
    public async Task Forty_eight_visitors_of_twelve_instances_count_in_one_session_and_nobody_is_refused()
    {
        var instances = Enumerable.Range(0, Instances).Select(_ => Instance.Create(Configuration, options => options.KeyPrefix = Prefix)).ToList();
        try
        {
            var managers = instances.ConvertAll(static instance => instance.Manager());
            var id = await managers[0].CreateSessionAsync("n", 0, CancellationToken);
            foreach (var instance in instances)
                await instance.WarmUpAsync(CancellationToken);
            await Task.WhenAll(Enumerable.Range(0, Instances * Visitors).Select(visitor => Task.Run(async () =>
            {
                for (var i = 0; i < Times; i++)
                    await managers[visitor % Instances].IncrementAsync(id, "n", CancellationToken);
            }, CancellationToken)));
            Assert.Equal(Instances * Visitors * Times, await managers[0].CountAsync(id, "n", CancellationToken));
        }
        finally
        {
            foreach (var instance in instances)
                await instance.DisposeAsync();
        }
    }
}
