using System.Globalization;
using System.Net.Sockets;
using Garnet;

namespace RedisSessions.TestServers;

/// <summary>A Garnet server inside this process, on a free loopback port: real RESP where there is no Redis.</summary>
public sealed class EmbeddedGarnet : IAsyncDisposable
{
    private readonly GarnetServer _server;

    private EmbeddedGarnet(GarnetServer server, int port)
    {
        _server = server;
        Port = port;
    }

    public int Port { get; }

    /// <summary>What StackExchange.Redis needs to find it.</summary>
    public string Configuration => $"127.0.0.1:{Port}";

    /// <summary>Starts a server.</summary>
    /// <param name="atomicScripts">False leaves out its Lua transaction mode: scripts then lose updates, which is what a negative control wants.</param>
    public static EmbeddedGarnet Start(bool atomicScripts = true)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Next();
            string[] arguments =
            [
                "--bind", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture),
                "--memory", "64m", "--page", "1m", "--index", "1m", "-q", "--lua",
                .. (string[])(atomicScripts ? ["--lua-transaction-mode"] : []),
            ];
            GarnetServer? server = null;
            try
            {
                server = new GarnetServer(arguments);
                server.Start();
                return new EmbeddedGarnet(server, port);
            }
            catch (SocketException) when (attempt < FreePort.Tries)
            {
                server?.Dispose();
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }
}
