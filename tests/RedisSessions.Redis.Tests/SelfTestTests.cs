using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>A server whose scripts are not atomic is refused; one that is not there yet is waited for.</summary>
public abstract class SelfTestTests : EngineTests
{
    private const int Passed = 103, NotReachable = 102;

    protected SelfTestTests(RedisServerFixture redis) : base(redis) { }

    protected SelfTestTests(GarnetFixture garnet) : base(garnet) { }

    [Fact]
    public async Task A_server_with_atomic_scripts_passes_at_start_and_is_left_clean()
    {
        using var log = new LogCapture();
        await using var instance = Instance.Create(Configuration, options => options.KeyPrefix = Prefix, log: log);

        await instance.StartAsync(CancellationToken);

        Assert.Single(log.Entries, entry => entry.Id == Passed);
        await using var direct = await ConnectionMultiplexer.ConnectAsync(Configuration);
        Assert.Empty(direct.GetServers()[0].Keys(pattern: Prefix + "*"));
    }

    [Fact]
    public async Task It_runs_once_however_many_requests_are_the_first()
    {
        using var log = new LogCapture();
        await using var instance = Instance.Create(Configuration, options => options.KeyPrefix = Prefix, log: log);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => ReadAsync(instance))));

        Assert.Single(log.Entries, entry => entry.Id == Passed);
    }

    [Fact]
    public async Task A_server_that_is_not_there_does_not_keep_the_host_from_starting_and_is_tested_before_it_is_used()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        proxy.RefuseConnections = true;
        using var log = new LogCapture();
        await using var instance = Instance.Create($"{proxy.Configuration},connectTimeout=500", options => options.KeyPrefix = Prefix, log: log);

        await instance.StartAsync(CancellationToken);

        Assert.Single(log.Entries, entry => entry.Id == NotReachable && entry.Level == LogLevel.Warning);
        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => ReadAsync(instance));
        Assert.IsAssignableFrom<RedisException>(failure.InnerException);
        Assert.DoesNotContain(log.Entries, entry => entry.Id == Passed);

        proxy.RefuseConnections = false;
        await Poll.UntilAsync(
            async () => await Record.ExceptionAsync(() => ReadAsync(instance)) is null, Patience, "sessions work now that the server is there", CancellationToken);
        Assert.Single(log.Entries, entry => entry.Id == Passed);
        Assert.True(proxy.Count("EVAL") >= 400, $"Only {proxy.Count("EVAL")} scripts were run before the first use.");
    }

    [Fact]
    public async Task It_can_be_switched_off()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        using var log = new LogCapture();
        await using var instance = Instance.Create(proxy.Configuration, options => (options.KeyPrefix, options.SelfTest) = (Prefix, false), log: log);

        await instance.StartAsync(CancellationToken);
        await ReadAsync(instance);

        Assert.DoesNotContain(log.Entries, entry => entry.Id == Passed);
        Assert.Equal(0, proxy.Count("EVAL"));
    }

    [Fact]
    public async Task It_is_not_run_when_another_handler_is_the_one_in_use()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Instance.Create(
            builder => builder.AddHandler<NoHandler>("mine").AddRedis(proxy.Configuration), options => options.Handler = "mine");

        await instance.StartAsync(CancellationToken);

        Assert.IsType<NoHandler>(instance.Handler());
        Assert.Equal(0, proxy.Count("EVAL"));
    }

    internal static async Task<SessionRecord?> ReadAsync(ServiceProvider instance) =>
        await instance.Handler().ReadAsync(SessionKey.From(SessionId.New()), TimeSpan.FromMinutes(1), CancellationToken);

    private sealed class NoHandler : ISessionHandler
    {
        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) => new((SessionRecord?)null);

        public ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
            new(CommitResult.Committed.Instance);

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => new(false);
    }
}

public sealed class RedisSelfTestTests(RedisServerFixture redis) : SelfTestTests(redis);

public sealed class GarnetSelfTestTests(GarnetFixture garnet) : SelfTestTests(garnet);

/// <summary>
/// The negative control, and the reason for the test: Garnet without its Lua transaction mode. Not beside other tests: it lives in this process and has its threads from the same pool,
/// and while there is one for it, it does one thing at a time.
/// </summary>
[Collection(nameof(UnatomicServerTests))]
[CollectionDefinition(nameof(UnatomicServerTests), DisableParallelization = true)]
public sealed class UnatomicServerTests
{
    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_without_atomic_scripts_is_refused_at_start_and_at_every_use_and_the_message_says_what_to_do()
    {
        await using var garnet = EmbeddedGarnet.Start(atomicScripts: false);
        await using var instance = Instance.Create(garnet.Configuration);

        var atStart = await Assert.ThrowsAsync<SessionStoreException>(() => instance.StartAsync(CancellationToken));
        var atUse = await Assert.ThrowsAsync<SessionStoreException>(() => SelfTestTests.ReadAsync(instance));

        foreach (var failure in (SessionStoreException[])[atStart, atUse])
        {
            Assert.Equal("start", failure.Verb);
            Assert.Contains("scripts are not atomic", failure.Message, StringComparison.Ordinal);
            Assert.Matches("of (400|24) concurrent increments", failure.Message);
            Assert.Contains("--lua-transaction-mode", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task It_is_refused_each_time_and_not_only_when_the_machine_happens_to_be_idle()
    {
        await using var garnet = EmbeddedGarnet.Start(atomicScripts: false);
        for (var start = 0; start < 20; start++)
        {
            await using var instance = Instance.Create(garnet.Configuration);
            await Assert.ThrowsAsync<SessionStoreException>(() => instance.StartAsync(CancellationToken));
        }
    }
}
