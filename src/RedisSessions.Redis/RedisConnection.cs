using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>The one connection that all sessions of this process share, made on first use.</summary>
internal sealed class RedisConnection(IOptions<RedisHandlerOptions> options, RedisMultiplexer? given = null) : IAsyncDisposable
{
    // The client's own defaults wait at least 2.5 s before they reconnect, which is 3 s of silence for a blip of 50 ms. These come before the user's
    // settings in the string, and the last mention of a setting wins.
    private const string Defaults = "abortConnect=false,connectTimeout=2000,asyncTimeout=2000,syncTimeout=2000,keepAlive=15";

    private readonly SemaphoreSlim _connecting = new(1, 1);
    private IConnectionMultiplexer? _multiplexer = given?.Multiplexer;

    /// <summary>The settings of further connections to the same server.</summary>
    public ConfigurationOptions Configuration => given is null ? Parse(options.Value.Configuration
        ?? throw new SessionStoreException("redis", "start", "Sessions:Redis:Configuration is not set: set it to \"host:port\", or call .AddRedis(\"host:port\")."))
        : Repeat(given.Multiplexer);

    public async ValueTask<IDatabase> DatabaseAsync(CancellationToken cancellationToken)
    {
        if (_multiplexer is { } connected)
            return connected.GetDatabase();
        await _connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _multiplexer ??= await ConnectionMultiplexer.ConnectAsync(Configuration).ConfigureAwait(false);
            return _multiplexer.GetDatabase();
        }
        finally
        {
            _connecting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        // A multiplexer that was given to us belongs to somebody else.
        if (given is null && _multiplexer is { } mine)
            await mine.DisposeAsync().ConfigureAwait(false);
        _connecting.Dispose();
    }

    internal static ConfigurationOptions Parse(string configuration)
    {
        var parsed = ConfigurationOptions.Parse($"{Defaults},{configuration}");
        parsed.ClientName ??= "RedisSessions";
        // A time-out, and a reconnect that is due, are only noticed at the heartbeat.
        parsed.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        parsed.ReconnectRetryPolicy = JitteredReconnect.Instance;
        return parsed;
    }

    private static ConfigurationOptions Repeat(IConnectionMultiplexer multiplexer)
    {
        try
        {
            return Parse(multiplexer.Configuration);
        }
        catch (ArgumentException)
        {
            // A multiplexer gives its settings as text only, and a comma in a password has no form there. What the parser says would quote it.
            throw new SessionStoreException("redis", "start", "the settings of the connection that was given to AddRedis cannot be repeated for the "
                + "connections of the self-test. Give AddRedis the configuration itself, or set Sessions:Redis:SelfTest to false and know your server.");
        }
    }

    /// <summary>100 ms, doubling to 2 s, each wait spread over half of itself: fast after a blip, and no herd after an outage.</summary>
    private sealed class JitteredReconnect : IReconnectRetryPolicy
    {
        public static JitteredReconnect Instance { get; } = new();

        public bool ShouldRetry(long currentRetryCount, int timeElapsedMillisecondsSinceLastRetry)
        {
            var wait = Math.Min(100 << (int)Math.Min(currentRetryCount, 5), 2000);
            return timeElapsedMillisecondsSinceLastRetry >= wait / 2 + Random.Shared.Next(wait / 2);
        }
    }
}

/// <summary>A multiplexer that the application made itself; wrapped, so that it is no service of its own.</summary>
internal sealed record RedisMultiplexer(IConnectionMultiplexer Multiplexer);
