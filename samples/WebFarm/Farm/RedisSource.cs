using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Garnet;
using Garnet.common;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace WebFarm.Farm;

/// <summary>The Redis of the farm: that of the topology, else the one that was given, else a Garnet inside this process.</summary>
internal sealed class RedisSource : IAsyncDisposable
{
    private readonly IDisposable? _garnet;
    private readonly IAsyncDisposable? _servers;

    private RedisSource(string configuration, string description, IConnectionMultiplexer connection, IDisposable? garnet = null, IAsyncDisposable? servers = null)
    {
        Configuration = configuration;
        Description = description;
        Connection = connection;
        _garnet = garnet;
        _servers = servers;
    }

    /// <summary>As StackExchange.Redis writes it.</summary>
    public string Configuration { get; }

    /// <summary>For people; holds no password.</summary>
    public string Description { get; }

    public IConnectionMultiplexer Connection { get; }

    public static async Task<RedisSource> OpenAsync(FarmSettings settings, CancellationToken cancellationToken)
    {
        if (settings.Topology != Topology.None)
            return await StartAsync(settings.Topology, cancellationToken);
        if (settings.Redis is { } given)
            return new RedisSource(given, RedisUrl.Describe(given), await ConnectAsync(given));

        var (garnet, port) = StartGarnet();
        try
        {
            var text = $"127.0.0.1:{port}";
            return new RedisSource(text, $"embedded Garnet on {text}", await ConnectAsync(text), garnet);
        }
        catch
        {
            garnet.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        _garnet?.Dispose();
        if (_servers is not null)
            await _servers.DisposeAsync();
    }

    private static async Task<RedisSource> StartAsync(Topology topology, CancellationToken cancellationToken)
    {
        var servers = await RedisServers.StartAsync(topology, cancellationToken);
        try
        {
            return new RedisSource(servers.Configuration, servers.Description, await ConnectAsync(servers.Configuration), servers: servers);
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    private static async Task<IConnectionMultiplexer> ConnectAsync(string text)
    {
        try
        {
            var options = ConfigurationOptions.Parse(text);
            options.AbortOnConnectFail = true;
            // A port without a server refuses at once; a server on a busy machine gets its time.
            options.ConnectTimeout = 10_000;
            options.ConnectRetry = 1;
            return await ConnectionMultiplexer.ConnectAsync(options);
        }
        catch (RedisConnectionException)
        {
            throw new StartupException($"Redis at {RedisUrl.Describe(text)} does not answer: start it, or name none to use the embedded Garnet.");
        }
    }

    private static (GarnetServer Server, int Port) StartGarnet()
    {
        for (var tries = 1; ; tries++)
        {
            var port = FreePort();
            var server = default(GarnetServer);
            try
            {
                // Without its transaction mode Garnet's scripts are not atomic: sessions would lose updates, and RedisSessions would refuse it.
                server = new GarnetServer([
                    "--bind", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture),
                    "--lua", "--lua-transaction-mode", "--memory", "64m", "--page", "1m", "--index", "1m", "-q",
                ], NullLoggerFactory.Instance);
                server.Start();
                return (server, port);
            }
            catch (Exception e) when (e is SocketException or GarnetException)
            {
                server?.Dispose();
                // Somebody may have taken the port since it was found free.
                if (tries == 3)
                    throw new StartupException($"The embedded Garnet does not start: {e.Message}");
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
