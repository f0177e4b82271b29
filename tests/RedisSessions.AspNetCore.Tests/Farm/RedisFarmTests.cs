using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>Three instances over Redis, or over Garnet where there is no Redis.</summary>
public sealed class RedisFarmTests(RedisFarmTests.RedisFarm farm) : FarmTests(farm), IClassFixture<RedisFarmTests.RedisFarm>
{
    public sealed class RedisFarm(StoreFixture store) : Farm
    {
        public override string[] Settings => ["--Sessions:Handler=redis", $"--Sessions:Redis:Configuration={store.Configuration}"];

        /// <summary>Garnet has no INFO commandstats.</summary>
        public bool IsRedis => store.IsRedis;

        protected override int Instances => 3;

        public override async Task<byte[]?> BytesAsync(SessionKey key)
        {
            await using var redis = await ConnectionMultiplexer.ConnectAsync(store.Configuration);
            return await redis.GetDatabase().StringGetAsync($"session:{key}");
        }

        public override async Task PlantAsync(SessionKey key, byte[] bytes)
        {
            await using var redis = await ConnectionMultiplexer.ConnectAsync(store.Configuration);
            Assert.True(await redis.GetDatabase().StringSetAsync($"session:{key}", bytes, TimeSpan.FromMinutes(20), when: When.Exists));
        }
    }

    [Fact]
    public async Task A_read_costs_one_command_and_a_write_two()
    {
        if (!farm.IsRedis)
            Assert.Skip("no Redis here: Garnet has no INFO commandstats.");
        // A server of its own: commandstats counts for everybody.
        await using var redis = await RedisProcess.TryStartAsync([], TestContext.Current.CancellationToken);
        if (redis is null)
            Assert.Skip("no redis-server on the PATH.");
        await using var app = await TargetAppProcess.StartAsync(redis.Configuration, [], TestContext.Current.CancellationToken);
        using var browser = new Browser(app.Address);
        await browser.GetAsync("/seed");
        await browser.GetAsync("/set?key=a&val=0");

        await using var admin = await ConnectionMultiplexer.ConnectAsync(redis.Configuration + ",allowAdmin=true");
        var server = admin.GetServers()[0];
        Assert.Equal<string>(["getex=20"], await CommandsAsync(() => browser.GetAsync("/read")));
        // What the script itself calls is counted by the server too; it is no round trip.
        Assert.Equal<string>(["evalsha=20", "getex=20", "(getrange=20)", "(set=20)"], await CommandsAsync(() => browser.GetAsync("/set?key=a&val=1")));
        Assert.Empty(await CommandsAsync(() => browser.GetAsync("/hello")));

        async Task<string[]> CommandsAsync(Func<Task> request)
        {
            await server.ConfigResetStatisticsAsync();
            for (var i = 0; i < 20; i++)
                await request();
            var stats = await server.InfoAsync("commandstats");
            return [.. stats.SelectMany(section => section)
                .Select(pair => (Name: pair.Key["cmdstat_".Length..], Calls: pair.Value.Split(',')[0]["calls=".Length..]))
                .Where(pair => pair.Name is not ("info" or "config|resetstat" or "ping" or "client|setinfo"))
                .Select(pair => pair.Name is "set" or "getrange" ? $"({pair.Name}={pair.Calls})" : $"{pair.Name}={pair.Calls}")
                .OrderBy(text => text.StartsWith('(')).ThenBy(text => text, StringComparer.Ordinal)];
        }
    }
}
