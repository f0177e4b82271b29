using Microsoft.Extensions.Logging;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Connection;

/// <summary>What is said at start of a server that will lose sessions. On servers of our own.</summary>
public sealed class StartCheckTests
{
    private const int Evicts = 114, NotPersistent = 115, TooOld = 116, NotChecked = 117, HasEvicted = 118;

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("allkeys-lru", "any key, sessions too")]
    [InlineData("volatile-ttl", "sessions, and all else that has an end")]
    public async Task A_server_that_evicts_is_warned_of_with_its_policy_and_what_it_costs(string policy, string what)
    {
        var log = await StartAsync(["--maxmemory-policy", policy, "--appendonly", "yes"]);
        var entry = Assert.Single(log.Entries, entry => entry.Id == Evicts);
        Assert.Equal(LogLevel.Warning, entry.Level);
        Assert.Contains(policy, entry.Text, StringComparison.Ordinal);
        Assert.Contains(what, entry.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(log.Entries, entry => entry.Id is NotPersistent or TooOld or NotChecked or HasEvicted);
    }

    [Theory]
    [InlineData("--appendonly", "yes")]
    [InlineData("--save", "3600 1")]
    public async Task A_server_that_keeps_what_it_is_told_and_saves_it_is_not_spoken_of(string setting, string value) =>
        Assert.DoesNotContain((await StartAsync([setting, value])).Entries, entry => entry.Id is Evicts or NotPersistent or TooOld or NotChecked or HasEvicted);

    [Fact]
    public async Task A_server_without_persistence_is_warned_of() =>
        Assert.Contains("a restart ends all sessions", Assert.Single((await StartAsync([])).Entries, entry => entry.Id == NotPersistent).Text, StringComparison.Ordinal);

    [Fact]
    public async Task A_server_that_has_evicted_keys_already_is_warned_of()
    {
        var log = await StartAsync(["--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru"], async admin =>
        {
            for (var i = 0; i < 40; i++)
                await admin.GetDatabase().StringSetAsync($"filler{i}", new byte[200_000]);
        });
        Assert.Single(log.Entries, entry => entry.Id == HasEvicted);
    }

    [Fact]
    public async Task Where_asking_is_forbidden_it_says_what_it_does_not_know_and_starts()
    {
        var log = await StartAsync([], async admin => await admin.GetDatabase().ExecuteAsync(
            "ACL", "SETUSER", "blind", "on", ">password", "~*", "&*", "+@all", "-info", "-config"), ",user=blind,password=password");
        var entry = Assert.Single(log.Entries, entry => entry.Id == NotChecked);
        Assert.Equal(LogLevel.Information, entry.Level);
        Assert.Contains("whether it evicts keys and whether it saves to disk", entry.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(log.Entries, entry => entry.Id is Evicts or NotPersistent);
    }

    [Fact]
    public async Task At_start_the_connection_is_made_and_every_script_is_loaded()
    {
        await using var redis = await RedisProcess.TryStartAsync([], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: what it has loaded is counted on a server of our own");
        await using var instance = Instance.Create(redis!.Configuration);
        await instance.StartAsync(CancellationToken);
        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{redis.Configuration},allowAdmin=true");

        foreach (var script in RedisScripts.All.Select(script => script.Text))
            Assert.True(await admin.GetServers()[0].ScriptExistsAsync(script), script);
        Assert.Contains(await admin.GetServers()[0].ClientListAsync(), client => client.Name == "RedisSessions");
    }

    private static async Task<LogCapture> StartAsync(string[] settings, Func<ConnectionMultiplexer, Task>? prepare = null, string configuration = "")
    {
        await using var redis = await RedisProcess.TryStartAsync(settings, CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: settings are made on a server of our own");
        if (prepare is not null)
        {
            await using var admin = await ConnectionMultiplexer.ConnectAsync($"{redis!.Configuration},allowAdmin=true");
            await prepare(admin);
        }

        var log = new LogCapture();
        await using var instance = Instance.Create(redis!.Configuration + configuration, log: log);
        await instance.StartAsync(CancellationToken);
        return log;
    }
}
