using System.Globalization;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Servers;

public sealed class ServerTests(RedisServerFixture redis)
{
    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("10.0.0.1:7000", "10.0.0.1:7000")]
    [InlineData("redis://10.0.0.1:7000", "10.0.0.1:7000")]
    [InlineData("redis://10.0.0.1", "10.0.0.1:6379")]
    [InlineData("redis://:p%40ss@10.0.0.1:7000/2", "10.0.0.1:7000,password=p@ss,defaultDatabase=2")]
    [InlineData("rediss://me:secret@10.0.0.1:7000", "10.0.0.1:7000,ssl=true,password=secret,user=me")]
    public void REDIS_URL_is_read_in_both_spellings(string url, string configuration) => Assert.Equal(configuration, RedisServer.Parse(url));

    [Fact]
    public async Task A_killed_redis_comes_back_empty_on_the_same_port()
    {
        if (await RedisProcess.TryStartAsync([], CancellationToken) is not { } server)
        {
            Assert.Skip("no redis-server on the PATH");
            return;
        }

        await using var _ = server;
        await SetAsync(server.Configuration);
        var (port, id) = (server.Port, server.ProcessId);

        await server.KillAsync();
        await server.RestartAsync(CancellationToken);

        await using var connection = await ConnectionMultiplexer.ConnectAsync(server.Configuration);
        Assert.True((await connection.GetDatabase().StringGetAsync("key")).IsNull);
        Assert.Equal(port, server.Port);
        Assert.NotEqual(id, server.ProcessId);
    }

    [Fact]
    public async Task Two_instances_of_the_measuring_app_share_sessions_and_one_can_be_killed()
    {
        var configuration = redis.Server.Configuration;
        await using var one = await TargetAppProcess.StartAsync(configuration, [], CancellationToken);
        await using var two = await TargetAppProcess.StartAsync(configuration, [], CancellationToken);
        using var browser = new HttpClient();

        Assert.Equal("1", await browser.GetStringAsync(new Uri(one.Address, "incr"), CancellationToken));
        await one.KillAsync();

        Assert.True(one.HasExited);
        Assert.Equal("2", await browser.GetStringAsync(new Uri(two.Address, "incr"), CancellationToken));
    }

    [Fact]
    public async Task A_child_process_ends_when_its_pipe_to_us_closes()
    {
        var child = await ChildProcess.StartAsync("sleep", ["600"], CancellationToken);
        var id = child.Id.ToString(CultureInfo.InvariantCulture);
        Assert.True(Directory.Exists($"/proc/{id}"));

        child.CloseGuard();

        await Poll.UntilAsync(() => !Directory.Exists($"/proc/{id}"), TimeSpan.FromSeconds(20), "the child is gone", CancellationToken);
        await child.DisposeAsync();
    }

    private static async Task SetAsync(string configuration)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(configuration);
        await connection.GetDatabase().StringSetAsync("key", "value");
    }
}
