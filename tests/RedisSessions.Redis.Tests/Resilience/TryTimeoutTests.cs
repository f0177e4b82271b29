using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Resilience;

/// <summary>Who ends a try that has no answer: the client, on a connection of ours; a clock of ours, on one whose settings are somebody else's.</summary>
public sealed class TryTimeoutTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_a_connection_of_ours_the_client_ends_it()
    {
        await using var redis = await StartAsync();
        await using var proxy = FaultProxy.Start(redis.Configuration);
        await using var instance = Instance.Create(proxy.Configuration, options => (options.Tries, options.Timeout) = (1, Long));
        await AssertEndsAsync(instance, proxy, endsTries: true);
    }

    [Fact]
    public async Task On_a_connection_with_a_time_of_its_own_a_clock_of_ours_ends_it()
    {
        await using var redis = await StartAsync();
        await using var proxy = FaultProxy.Start(redis.Configuration);
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{proxy.Configuration},asyncTimeout=60000,syncTimeout=60000");
        await using var instance = Instance.Create(builder => builder.AddRedis(connection).Services.Configure<RedisHandlerOptions>(
            options => (options.Tries, options.Timeout, options.SelfTest) = (1, Long, false)));
        await AssertEndsAsync(instance, proxy, endsTries: false);
    }

    [Fact]
    public async Task A_time_that_the_application_gives_the_client_does_not_lengthen_a_try()
    {
        await using var redis = await StartAsync();
        await using var proxy = FaultProxy.Start(redis.Configuration);
        await using var instance = Instance.Create(proxy.Configuration + ",asyncTimeout=60000", options => (options.Tries, options.Timeout) = (1, Long));
        await AssertEndsAsync(instance, proxy, endsTries: false);
    }

    private static async Task AssertEndsAsync(ServiceProvider instance, FaultProxy proxy, bool endsTries)
    {
        await instance.StartAsync(CancellationToken);
        await instance.WarmUpAsync(CancellationToken);
        Assert.Equal(endsTries, instance.GetRequiredService<RedisConnection>().EndsTries);

        proxy.Policy = static command => command.Name == "GETEX" ? Fault.SwallowReply : Fault.None;
        var started = Stopwatch.GetTimestamp();
        var failure = await Assert.ThrowsAsync<SessionStoreException>(
            () => instance.Handler().ReadAsync(SessionKey.From(SessionId.New()), TimeSpan.FromMinutes(1), CancellationToken).AsTask());
        Assert.Contains("(timeout,", failure.Message, StringComparison.Ordinal);
        // A try has one second by default; a busy machine takes its time, and the clocks that are not to count here would take a minute.
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(20));
    }

    private static async Task<RedisProcess> StartAsync()
    {
        var redis = await RedisProcess.TryStartAsync([], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: answers are held up on a server of our own");
        return redis!;
    }
}
