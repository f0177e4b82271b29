using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

public sealed class ConnectionSettingsTests(RedisServerFixture server)
{
    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public void What_the_string_does_not_mention_is_tuned_for_sessions()
    {
        var parsed = RedisConnection.Parse("localhost:6379", TimeSpan.FromMilliseconds(700));
        Assert.Equal("localhost:6379", Assert.Single(parsed.EndPoints).ToString()!.Replace("Unspecified/", "", StringComparison.Ordinal));
        Assert.False(parsed.AbortOnConnectFail);
        // What a try has given up, the client gives up too.
        Assert.Equal((2000, 700, 700, 15), (parsed.ConnectTimeout, parsed.AsyncTimeout, parsed.SyncTimeout, parsed.KeepAlive));
        Assert.Equal("RedisSessions", parsed.ClientName);
        Assert.Equal(TimeSpan.FromMilliseconds(250), parsed.HeartbeatInterval);
        Assert.Same(BacklogPolicy.FailFast, parsed.BacklogPolicy);
        Assert.False(parsed.IncludeDetailInExceptions);
    }

    [Fact]
    public void What_the_string_mentions_is_the_users()
    {
        var parsed = RedisConnection.Parse(
            "one:1,two:2,abortConnect=true,connectTimeout=1,asyncTimeout=2,syncTimeout=3,keepAlive=4,name=mine,password=p,ssl=true,defaultDatabase=5",
            TimeSpan.FromSeconds(1));
        Assert.True(parsed.AbortOnConnectFail);
        Assert.Equal((1, 2, 3, 4), (parsed.ConnectTimeout, parsed.AsyncTimeout, parsed.SyncTimeout, parsed.KeepAlive));
        Assert.Equal(("mine", "p", true, 5), (parsed.ClientName, parsed.Password, parsed.Ssl, parsed.DefaultDatabase));
        Assert.Equal(2, parsed.EndPoints.Count);
    }

    [Fact]
    public void Reconnecting_begins_within_a_tenth_of_a_second_and_hardly_ever_waits_for_more_than_one()
    {
        var policy = RedisConnection.Parse("localhost", TimeSpan.FromSeconds(1)).ReconnectRetryPolicy;
        Assert.True(policy.ShouldRetry(0, 100));
        Assert.False(policy.ShouldRetry(11, 499));
        for (var tries = 0L; tries < 200; tries++)
        {
            Assert.False(policy.ShouldRetry(tries, 49));
            Assert.True(policy.ShouldRetry(tries, 2000));
            // Of three in a row two are soon over.
            Assert.True(Enumerable.Range(0, 3).Count(i => policy.ShouldRetry(tries + i, 1000)) >= 2);
        }

        // Spread: of many instances that lost the same server, some are due early and some late.
        Assert.Equal(2, Enumerable.Range(0, 200).Select(_ => policy.ShouldRetry(11, 750)).Distinct().Count());
    }

    [Theory]
    [InlineData(2000, 2000)]
    [InlineData(100, 1000)]
    [InlineData(60_000, 5000)]
    public void Of_every_three_attempts_one_is_left_as_long_as_the_settings_give_it(int connectTimeout, int patience)
    {
        // The client ends an attempt that is under way when the policy says that it is due.
        var policy = RedisConnection.Parse($"localhost,connectTimeout={connectTimeout}", TimeSpan.FromSeconds(1)).ReconnectRetryPolicy;
        for (var tries = 4L; tries < 200; tries++)
            Assert.Contains(Enumerable.Range(0, 3), i => !policy.ShouldRetry(tries + i, patience - 1) && policy.ShouldRetry(tries + i, patience));
    }

    [Theory]
    [InlineData("Configuration", "", "Sessions:Redis:Configuration cannot be read")]
    [InlineData("Configuration", "ssl=true", "Sessions:Redis:Configuration names no server")]
    [InlineData("Configuration", "localhost,nonsense=1", "Sessions:Redis:Configuration cannot be read")]
    [InlineData("Tries", "0", "Sessions:Redis:Tries is 0: it must be from 1 to 10.")]
    [InlineData("Tries", "11", "Sessions:Redis:Tries is 11: it must be from 1 to 10.")]
    [InlineData("TouchInterval", "01:00:01", "Sessions:Redis:TouchInterval is 01:00:01: it must be from 00:00:00 to 01:00:00.")]
    [InlineData("TouchInterval", "-00:00:01", "Sessions:Redis:TouchInterval is -00:00:01: it must be from 00:00:00 to 01:00:00.")]
    [InlineData("Timeout", "00:00:00.05", "Sessions:Redis:Timeout is 00:00:00.0500000: it must be from 00:00:00.1000000 to 00:05:00.")]
    [InlineData("Timeout", "00:05:01", "Sessions:Redis:Timeout is 00:05:01")]
    [InlineData("TryTimeout", "00:00:00.04", "Sessions:Redis:TryTimeout is 00:00:00.0400000")]
    [InlineData("TryTimeout", "00:00:04", "Sessions:Redis:TryTimeout is 00:00:04: it must be from 00:00:00.0500000 to 00:00:03.")]
    [InlineData("Breaker:FailureRatio", "0", "Sessions:Redis:Breaker:FailureRatio is 0: it must be above 0 and at most 1.")]
    [InlineData("Breaker:FailureRatio", "1.1", "Sessions:Redis:Breaker:FailureRatio is 1.1")]
    [InlineData("Breaker:MinimumThroughput", "1", "Sessions:Redis:Breaker:MinimumThroughput is 1: it must be from 2 to 10000.")]
    [InlineData("Breaker:SamplingDuration", "00:00:00.4", "Sessions:Redis:Breaker:SamplingDuration is 00:00:00.4")]
    [InlineData("Breaker:BreakDuration", "00:00:00.4", "Sessions:Redis:Breaker:BreakDuration is 00:00:00.4")]
    [InlineData("KeyPrefix", null, "Sessions:Redis:KeyPrefix has 201 characters: it must be set and have at most 200.")]
    public void A_setting_that_cannot_work_is_refused_at_start_by_name(string setting, string? value, string message)
    {
        using var instance = Configured(new() { [$"Sessions:Redis:{setting}"] = value ?? new string('x', 201) });
        var failure = Assert.Throws<OptionsValidationException>(() => instance.GetRequiredService<IStartupValidator>().Validate());
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_that_cannot_be_read_does_not_show_its_password()
    {
        using var instance = Configured(new() { ["Sessions:Redis:Configuration"] = "localhost,password=hunter2,nonsense=1" });
        var failure = Assert.Throws<OptionsValidationException>(() => instance.GetRequiredService<IStartupValidator>().Validate());
        Assert.DoesNotContain("hunter2", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_configuration_section_has_the_last_word()
    {
        using var instance = Configured(new() { ["Sessions:Redis:KeyPrefix"] = "theirs:", ["Sessions:Redis:Tries"] = "7" });
        var options = instance.GetRequiredService<IOptions<RedisHandlerOptions>>().Value;
        Assert.Equal(("code:1", "theirs:", 7), (options.Configuration, options.KeyPrefix, options.Tries));
    }

    [Fact]
    public async Task Without_a_configuration_the_first_use_says_what_to_set()
    {
        await using var instance = Instance.Create(builder => builder.AddRedis());
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => SelfTestTests.ReadAsync(instance));
        Assert.Contains("Sessions:Redis:Configuration is not set", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_of_the_application_is_used_and_left_open()
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.Server.Configuration);
        var commands = redis.OperationCount;
        var instance = Instance.Create(builder => builder.AddRedis(redis));
        await instance.StartAsync(CancellationToken);

        var id = await instance.Manager().CreateSessionAsync("n", 7, CancellationToken);
        Assert.Equal(7, await instance.Manager().CountAsync(id, "n", CancellationToken));
        Assert.True(redis.OperationCount >= commands + 2, "The sessions did not go over the connection that was given.");
        await instance.DisposeAsync();

        Assert.True(await redis.GetDatabase().KeyDeleteAsync("session:" + SessionKey.From(id).Value));
    }

    [Fact]
    public async Task A_connection_of_the_application_brings_its_password_to_the_self_test()
    {
        await using var redis = await RedisProcess.TryStartAsync(["--requirepass", "secret with=both"], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: a password is tried on a server of our own");
        var options = ConfigurationOptions.Parse(redis!.Configuration);
        options.Password = "secret with=both";
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
        using var log = new LogCapture();
        await using var instance = Instance.Create(builder => builder.AddRedis(connection), log: log);

        await instance.StartAsync(CancellationToken);

        Assert.Single(log.Entries, entry => entry.Id == 103);
        await instance.Manager().CreateSessionAsync("n", 7, CancellationToken);
    }

    [Fact]
    public async Task A_connection_whose_settings_have_no_form_as_text_is_refused_with_a_way_out_and_without_its_password()
    {
        await using var redis = await RedisProcess.TryStartAsync(["--requirepass", "half,other=half"], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: a password is tried on a server of our own");
        var options = ConfigurationOptions.Parse(redis!.Configuration);
        options.Password = "half,other=half";
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
        await using var refused = Instance.Create(builder => builder.AddRedis(connection));
        await using var untested = Instance.Create(builder =>
        {
            builder.AddRedis(connection);
            builder.Services.Configure<RedisHandlerOptions>(handler => handler.SelfTest = false);
        });

        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => refused.StartAsync(CancellationToken));
        Assert.Contains("Sessions:Redis:SelfTest", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("other", failure.ToString(), StringComparison.Ordinal);
        await untested.StartAsync(CancellationToken);
        await untested.Manager().CreateSessionAsync("n", 7, CancellationToken);
    }

    private static ServiceProvider Configured(Dictionary<string, string?> settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddLogging();
        services.AddRedisSessionsCore().AddRedis("code:1");
        return services.BuildServiceProvider();
    }
}
