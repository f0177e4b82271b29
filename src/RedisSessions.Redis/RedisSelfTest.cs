using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// Proves by experiment that scripts are atomic on this server. No server says so itself: embedded Garnet without its Lua transaction
/// mode loses half of all updates, without any error. Runs at start; when the server is not there yet, before the first use of it.
/// </summary>
internal sealed class RedisSelfTest(
    RedisConnection connection, RedisStartChecks checks, IOptions<RedisHandlerOptions> options, ILogger<RedisSessionHandler> logger) : IHostedService
{
    private const int Connections = 8, CallsEach = 50, Dawdle = 10_000;

    // Longer than a processor stays with one thread.
    private const int LongCallsEach = 3, LongDawdle = 1_000_000;
    private readonly Lock _lock = new();
    private Task? _run;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await PassedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (SessionStoreException e) when (e.InnerException is RedisException or TimeoutException)
        {
            Log.NotReachableAtStart(logger, e);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whether there is nothing to wait for.</summary>
    public bool HasPassed => _run is { IsCompletedSuccessfully: true };

    /// <summary>Completes when the server has passed; a test that could not be run is run again for the next caller.</summary>
    public Task PassedAsync()
    {
        if (_run is { IsCompletedSuccessfully: true } passed)
            return passed;
        lock (_lock)
        {
            if (_run is null or { IsFaulted: true } or { IsCanceled: true })
                _run = RunAsync().Observed();
            return _run;
        }
    }

    private async Task RunAsync()
    {
        if (options.Value.SelfTest)
            await TestAsync().ConfigureAwait(false);
        await checks.RunAsync().ConfigureAwait(false);
    }

    private async Task TestAsync()
    {
        // Several connections, because one alone is served in order even where scripts are not atomic.
        List<ConnectionMultiplexer> multiplexers = [];
        try
        {
            RedisKey key = $"{options.Value.KeyPrefix}selftest:{Guid.NewGuid():N}";
            var configuration = await connection.ConfigurationAsync().ConfigureAwait(false);
            // Here a server that is not there is an answer, not something to wait for in the background.
            configuration.AbortOnConnectFail = true;
            for (var i = 0; i < Connections; i++)
                multiplexers.Add(await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false));
            await CountAsync(multiplexers, key, CallsEach, Dawdle).ConfigureAwait(false);
            // On a machine that has no time, calls come one after the other however many are sent, unless they are interrupted. The one server that is known to lose updates
            // gets a few that are.
            if (await IsGarnetAsync(multiplexers[0]).ConfigureAwait(false))
                await CountAsync(multiplexers, key, LongCallsEach, LongDawdle).ConfigureAwait(false);
            Log.SelfTestPassed(logger, Connections * CallsEach, Connections);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            throw new SessionStoreException("redis", "start", "its scripts could not be tested: " + (RedisFailure.Of(e)?.Advice ?? e.GetType().Name), e);
        }
        finally
        {
            foreach (var multiplexer in multiplexers)
                await multiplexer.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task CountAsync(List<ConnectionMultiplexer> multiplexers, RedisKey key, int callsEach, int dawdle)
    {
        await Task.WhenAll(multiplexers.Select(multiplexer => Task.Run(() => CallAsync(multiplexer.GetDatabase(), key, callsEach, dawdle)))).ConfigureAwait(false);
        var database = multiplexers[0].GetDatabase();
        var counted = (long)await database.StringGetAsync(key).ConfigureAwait(false);
        await database.KeyDeleteAsync(key).ConfigureAwait(false);
        if (counted != multiplexers.Count * callsEach)
        {
            throw new SessionStoreException("redis", "start", string.Create(CultureInfo.InvariantCulture,
                $"its scripts are not atomic: of {multiplexers.Count * callsEach} concurrent increments {counted} were kept, so sessions would lose updates. ")
                + "On Garnet switch on Lua transactions (--lua --lua-transaction-mode).");
        }
    }

    private static async Task<bool> IsGarnetAsync(ConnectionMultiplexer multiplexer)
    {
        try
        {
            return Array.Find(multiplexer.GetServers(), static server => server.IsConnected) is { } server
                && (await server.InfoRawAsync("server").ConfigureAwait(false))?.Contains("garnet_version", StringComparison.Ordinal) == true;
        }
        catch (Exception e) when (e is RedisException or RedisCommandException or TimeoutException)
        {
            // It may not be asked.
            return false;
        }
    }

    private static async Task CallAsync(IDatabase database, RedisKey key, int calls, int dawdle)
    {
        for (var i = 0; i < calls; i++)
            await database.ScriptEvaluateAsync(RedisScripts.SelfTest.Text, [key], [60_000, dawdle]).ConfigureAwait(false);
    }
}
