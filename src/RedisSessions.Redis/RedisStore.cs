using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>The way that every command goes: to a server that has passed its self-test, with the retries, and with one exception for what can go wrong.</summary>
internal sealed class RedisStore(
    RedisConnection connection, RedisSelfTest selfTest, IOptions<RedisHandlerOptions> options, TimeProvider time, ILogger<RedisSessionHandler> logger)
{
    private readonly ResiliencePipeline _retry = StoreRetry.Create(options.Value.Tries, time, logger);
    private readonly string _prefix = options.Value.KeyPrefix;

    /// <summary>By this clock absolute deadlines are compared. What ends a while from now, the server counts.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>What belongs to these sessions and to no others on the server.</summary>
    public string Name(string name) => _prefix + name;

    public RedisKey Key(string name) => Name(name);

    public async ValueTask<TResult> RunAsync<TState, TResult>(
        string verb, TState state, Func<TState, IDatabase, CancellationToken, Task<TResult>> run, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            await selfTest.PassedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            // Each try decides itself whether it can still be cancelled: the pipeline would also give up on what has been sent.
            return await _retry.ExecuteAsync(
                static async (all, _) =>
                {
                    var database = await all.Connection.DatabaseAsync(all.Cancellation).ConfigureAwait(false);
                    return await all.Run(all.State, database, all.Cancellation).ConfigureAwait(false);
                },
                (Connection: connection, State: state, Run: run, Cancellation: cancellationToken),
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            throw new SessionStoreException("redis", verb, e.Message, e);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            var elapsed = time.GetElapsedTime(started).TotalMilliseconds;
            throw new SessionStoreException("redis", verb, string.Create(CultureInfo.InvariantCulture,
                $"Redis did not answer as it should ({e.GetType().Name}, after {elapsed:F0} ms). Is it up, reachable and allowed to run scripts?"), e);
        }
    }
}
