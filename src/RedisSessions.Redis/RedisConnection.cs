using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>The one connection that all sessions of this process share, made on first use.</summary>
internal sealed class RedisConnection(
    IOptions<RedisHandlerOptions> options, TimeProvider time, ILogger<RedisSessionHandler> logger, RedisMultiplexer? given = null) : IAsyncDisposable
{
    private static readonly TimeSpan LooksApart = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<EndPoint, int> _changes = [];
    private readonly Lock _lock = new();
    private Task<IConnectionMultiplexer>? _connecting;
    private IConnectionMultiplexer? _multiplexer;
    private Task<ConfigurationOptions>? _configuration;
    private long _looked;
    private int _generation;
    private bool _refused, _isCluster, _endsTries;

    /// <summary>Rises with each connection, to whichever server, that is lost or made again.</summary>
    public int Generation => Volatile.Read(ref _generation);

    /// <summary>Whether commands to that server have gone another way since: what was written on one connection cannot be waited for on another.</summary>
    public bool HasChanged(EndPoint server, int since) => _changes.TryGetValue(server, out var changed) && changed > since;

    /// <summary>Whether the server has refused the user or the password, the last time that a connection was tried.</summary>
    public bool IsRefused => Volatile.Read(ref _refused);

    /// <summary>
    /// Whether the client itself ends what has had no answer for the time of a try, within a quarter of that time. A connection that was made elsewhere has a time of its own.
    /// </summary>
    public bool EndsTries => Volatile.Read(ref _endsTries);

    /// <summary>A connection was lost or made again.</summary>
    public event Action? Changed;

    public bool IsConnected => _multiplexer is { IsConnected: true };

    /// <summary>Whether several primaries have the sessions; false as long as that is not known.</summary>
    public bool IsCluster => Volatile.Read(ref _isCluster);

    /// <summary>The settings of further connections to the same server, for the caller to change.</summary>
    public async Task<ConfigurationOptions> ConfigurationAsync()
    {
        if (given is not null)
            return Repeat(given.Multiplexer);
        Task<ConfigurationOptions> configured;
        lock (_lock)
        {
            // What failed may work at the next call: a provider of credentials is a network call too.
            if (_configuration is null or { IsFaulted: true } or { IsCanceled: true })
                _configuration = ConfigureAsync();
            configured = _configuration;
        }

        return (await configured.ConfigureAwait(false)).Clone();
    }

    /// <summary>Where to send a command at once; null while there is no connection.</summary>
    public IDatabase? Database => _multiplexer is { IsConnected: true } multiplexer ? multiplexer.GetDatabase() : null;

    /// <summary>
    /// Waits until there is a connection: a command is not handed over before. What waits here was never sent, costs neither an exception nor a place in the client's
    /// queue, and comes back spread.
    /// </summary>
    public async ValueTask<IDatabase> DatabaseAsync(CancellationToken cancellationToken)
    {
        var multiplexer = _multiplexer ?? await ConnectingAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        while (!multiplexer.IsConnected)
            await Task.Delay(TimeSpan.FromMilliseconds(20 + Random.Shared.Next(60)), time, cancellationToken).ConfigureAwait(false);
        return multiplexer.GetDatabase();
    }

    /// <summary>
    /// A connection that refuses writes, or a client that knows of replicas only: somewhere there may be a primary by now, and the client itself looks once a minute. Looks
    /// once a second at most, and nobody waits for it.
    /// </summary>
    public void LookForPrimary()
    {
        var (now, looked) = (time.GetTimestamp(), Volatile.Read(ref _looked));
        if (_multiplexer is not { IsConnected: true } multiplexer || (looked != 0 && time.GetElapsedTime(looked, now) < LooksApart)
            || Interlocked.CompareExchange(ref _looked, now, looked) != looked)
            return;
        _ = multiplexer.ConfigureAsync().Observed();
    }

    public async ValueTask DisposeAsync()
    {
        if (_multiplexer is not { } multiplexer)
            return;
        multiplexer.ConnectionFailed -= OnFailed;
        multiplexer.ConnectionRestored -= OnRestored;
        // A multiplexer that was given to us belongs to somebody else.
        if (given is null)
            await multiplexer.DisposeAsync().ConfigureAwait(false);
    }

    internal static ConfigurationOptions Parse(string configuration, TimeSpan tryTimeout)
    {
        // These come before the user's settings in the string, and the last mention of a setting wins. What a try has given up, the client is to give up too: it makes
        // a new connection after four times as long without a byte.
        var timeout = (int)tryTimeout.TotalMilliseconds;
        var parsed = ConfigurationOptions.Parse(string.Create(CultureInfo.InvariantCulture,
            $"abortConnect=false,connectTimeout=2000,asyncTimeout={timeout},syncTimeout={timeout},keepAlive=15,{configuration}"));
        parsed.ClientName ??= "RedisSessions";
        // A time-out, and a reconnect that is due, are only noticed at the heartbeat.
        parsed.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        // The client's own waits at least 2.5 s before it reconnects, which is 3 s of silence for a blip of 50 ms.
        parsed.ReconnectRetryPolicy = new ReconnectPolicy(parsed.ConnectTimeout);
        // Its queue would send what nobody waits for any more, and hides whether a command was sent (ADR 16).
        parsed.BacklogPolicy = BacklogPolicy.FailFast;
        // A tunnel through a proxy, which the string can name, goes before.
        parsed.Tunnel ??= new BatchedWrites();
        // To the client INFO and CONFIG GET are commands for administrators, also for one that the server lets do nothing else; nobody but us has this connection.
        parsed.AllowAdmin = true;
        // Messages without the names of keys.
        parsed.IncludeDetailInExceptions = false;
        return parsed;
    }

    private Task<IConnectionMultiplexer> ConnectingAsync()
    {
        lock (_lock)
        {
            if (_connecting is null or { IsFaulted: true } or { IsCanceled: true })
                _connecting = ConnectAsync().Observed();
            return _connecting;
        }
    }

    private async Task<IConnectionMultiplexer> ConnectAsync()
    {
        var multiplexer = given?.Multiplexer ?? await ConnectionMultiplexer.ConnectAsync(await ConfigurationAsync().ConfigureAwait(false)).ConfigureAwait(false);
        multiplexer.ConnectionFailed += OnFailed;
        multiplexer.ConnectionRestored += OnRestored;
        FindOut(multiplexer);
        _multiplexer = multiplexer;
        return multiplexer;
    }

    private void FindOut(IConnectionMultiplexer multiplexer) =>
        Volatile.Write(ref _isCluster, Array.Exists(multiplexer.GetServers(), static server => server.IsConnected && server.ServerType == ServerType.Cluster) || _isCluster);

    private async Task<ConfigurationOptions> ConfigureAsync()
    {
        var (configuration, configure) = (options.Value.Configuration, options.Value.ConfigureClient);
        // Without servers in the string, the hook names them.
        if (configuration is null && configure is null)
            throw new SessionStoreException("redis", "start", "Sessions:Redis:Configuration is not set: set it to \"host:port\", or call .AddRedis(\"host:port\").");
        var parsed = Parse(configuration ?? "", options.Value.TryTimeout);
        if (configure is not null)
            await configure(parsed).ConfigureAwait(false);
        var tryTimeout = options.Value.TryTimeout;
        Volatile.Write(ref _endsTries, given is null && parsed.AsyncTimeout <= tryTimeout.TotalMilliseconds && parsed.HeartbeatInterval <= tryTimeout / 4);
        return parsed;
    }

    private ConfigurationOptions Repeat(IConnectionMultiplexer multiplexer)
    {
        try
        {
            return Parse(multiplexer.Configuration, options.Value.TryTimeout);
        }
        catch (ArgumentException)
        {
            // A multiplexer gives its settings as text only, and a comma in a password has no form there. What the parser says would quote it.
            throw new SessionStoreException("redis", "start", "the settings of the connection that was given to AddRedis cannot be repeated for the "
                + "connections of the self-test. Give AddRedis the configuration itself, or set Sessions:Redis:SelfTest to false and know your server.");
        }
    }

    private void OnFailed(object? sender, ConnectionFailedEventArgs e)
    {
        Count(e);
        if (e.ConnectionType != ConnectionType.Interactive)
            return;
        if (e.FailureType != ConnectionFailureType.AuthenticationFailure)
            Log.ConnectionLost(logger, e.FailureType.ToString());
        else if (!Interlocked.Exchange(ref _refused, true))
            Log.Unauthenticated(logger);
    }

    private void Count(ConnectionFailedEventArgs e)
    {
        var generation = Interlocked.Increment(ref _generation);
        if (e is { ConnectionType: ConnectionType.Interactive, EndPoint: { } server })
            _changes.AddOrUpdate(server, generation, (_, known) => Math.Max(known, generation));
        Changed?.Invoke();
    }

    private void OnRestored(object? sender, ConnectionFailedEventArgs e)
    {
        Count(e);
        if (e.ConnectionType != ConnectionType.Interactive)
            return;
        Volatile.Write(ref _refused, false);
        // Nobody may have answered when the client was made.
        if (_multiplexer is { } multiplexer)
            FindOut(multiplexer);
        Log.ConnectionRestored(logger);
    }
}

/// <summary>A multiplexer that the application made itself; wrapped, so that it is no service of its own.</summary>
internal sealed record RedisMultiplexer(IConnectionMultiplexer Multiplexer);
