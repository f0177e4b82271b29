using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Servers;

/// <summary>The proxy that other tests rely on really breaks what it says, and nothing else.</summary>
public sealed class FaultProxyTests(GarnetFixture garnet)
{
    private const string Count = "return redis.call('INCR', KEYS[1])";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly RedisKey _key = $"proxy:{Guid.NewGuid():N}";

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_fault_everything_passes_also_a_mebibyte()
    {
        await using var proxy = FaultProxy.Start(garnet.Server.Configuration);
        await using var redis = await ConnectAsync(proxy);
        var bytes = new byte[1024 * 1024];
        Random.Shared.NextBytes(bytes);

        await redis.GetDatabase().StringSetAsync(_key, bytes);

        Assert.Equal(bytes, (byte[]?)await redis.GetDatabase().StringGetAsync(_key));
        Assert.Equal(0, proxy.Faults);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("swallow")]
    public async Task The_script_whose_reply_is_lost_has_run(string how)
    {
        await using var proxy = FaultProxy.Start(garnet.Server.Configuration);
        await using var redis = await ConnectAsync(proxy);
        proxy.Policy = command => !command.IsScript || command.Number != 2 ? Fault.None : how == "cut" ? Fault.CutReply : Fault.SwallowReply;

        await redis.GetDatabase().ScriptEvaluateAsync(Count, [_key]);
        var lost = await Record.ExceptionAsync(() => redis.GetDatabase().ScriptEvaluateAsync(Count, [_key]));

        Assert.True(how == "cut" ? lost is RedisConnectionException : lost is RedisTimeoutException, $"{lost}");
        Assert.Equal(2, await CountAsync());
        Assert.Equal(1, proxy.Faults);
    }

    [Fact]
    public async Task A_refused_script_has_not_run()
    {
        await using var proxy = FaultProxy.Start(garnet.Server.Configuration);
        await using var redis = await ConnectAsync(proxy);
        proxy.Policy = command => command.IsScript ? Fault.Refused : Fault.None;

        await Assert.ThrowsAsync<RedisConnectionException>(() => redis.GetDatabase().ScriptEvaluateAsync(Count, [_key]));

        Assert.Equal(0, await CountAsync());
    }

    [Fact]
    public async Task A_misspelt_script_has_not_run_and_the_server_says_so()
    {
        await using var proxy = FaultProxy.Start(garnet.Server.Configuration);
        await using var redis = await ConnectAsync(proxy);
        proxy.Policy = command => command is { IsScript: true, Number: 1 } ? Fault.Unknown : Fault.None;

        await Assert.ThrowsAsync<RedisServerException>(() => redis.GetDatabase().ScriptEvaluateAsync(Count, [_key]));

        Assert.Equal(0, await CountAsync());
        await redis.GetDatabase().ScriptEvaluateAsync(Count, [_key]);
        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    public async Task A_late_script_runs_after_its_client_was_told_that_it_failed()
    {
        await using var proxy = FaultProxy.Start(garnet.Server.Configuration);
        await using var redis = await ConnectAsync(proxy);
        var released = new TaskCompletionSource();
        proxy.Policy = command => command.IsScript ? Fault.ArriveLate(released.Task) : Fault.None;

        await Assert.ThrowsAsync<RedisConnectionException>(() => redis.GetDatabase().ScriptEvaluateAsync(Count, [_key]));
        Assert.Equal(0, await CountAsync());
        released.SetResult();

        await Poll.UntilAsync(async () => await CountAsync() == 1, Patience, "the late script has run", CancellationToken);
    }

    [Fact]
    public async Task A_late_script_also_runs_when_an_answer_was_on_its_way_to_the_client_that_was_hung_up_on()
    {
        await using var proxy = FaultProxy.Start(garnet.Server.Configuration);
        await using var redis = await ConnectAsync(proxy);
        var released = new TaskCompletionSource();
        proxy.Policy = command => command.IsScript ? Fault.ArriveLate(released.Task)
            : command.Name == "GET" ? Fault.DripReply(1, TimeSpan.FromMilliseconds(100)) : Fault.None;

        var slow = redis.GetDatabase().StringGetAsync(_key);
        await Poll.UntilAsync(() => proxy.Faults == 1, Patience, "the answer is on its way", CancellationToken);
        await Assert.ThrowsAsync<RedisConnectionException>(() => redis.GetDatabase().ScriptEvaluateAsync(Count, [_key]));
        await Assert.ThrowsAsync<RedisConnectionException>(() => slow);
        // By now the proxy has found out that the client is gone.
        await Task.Delay(300, CancellationToken);
        released.SetResult();

        await Poll.UntilAsync(async () => await CountAsync() == 1, Patience, "the late script has run", CancellationToken);
    }

    [Fact]
    public async Task A_held_command_waits_until_it_is_released()
    {
        await using var proxy = FaultProxy.Start(garnet.Server.Configuration);
        await using var redis = await ConnectAsync(proxy);
        var released = new TaskCompletionSource();
        proxy.Policy = command => command.Name == "INCR" ? Fault.HoldUntil(released.Task) : Fault.None;

        var answer = redis.GetDatabase().StringIncrementAsync(_key);
        await Poll.UntilAsync(() => proxy.Faults == 1, Patience, "the command is held", CancellationToken);
        Assert.Equal(0, await CountAsync());
        released.SetResult();

        Assert.Equal(1, await answer);
    }

    [Fact]
    public async Task Disposing_ends_connections_that_it_holds()
    {
        var proxy = FaultProxy.Start(garnet.Server.Configuration);
        await using var redis = await ConnectAsync(proxy);
        proxy.Policy = _ => Fault.HoldUntil(Task.Delay(Timeout.Infinite, CancellationToken));
        var answer = redis.GetDatabase().StringGetAsync(_key);

        await proxy.DisposeAsync().AsTask().WaitAsync(Patience, CancellationToken);

        await Assert.ThrowsAnyAsync<Exception>(() => answer);
        Assert.Equal(0, proxy.Connections);
    }

    private static Task<ConnectionMultiplexer> ConnectAsync(FaultProxy proxy) =>
        ConnectionMultiplexer.ConnectAsync($"{proxy.Configuration},asyncTimeout=3000,connectTimeout=5000");

    private async Task<long> CountAsync()
    {
        await using var direct = await ConnectionMultiplexer.ConnectAsync(garnet.Server.Configuration);
        return (long)await direct.GetDatabase().StringGetAsync(_key);
    }
}
