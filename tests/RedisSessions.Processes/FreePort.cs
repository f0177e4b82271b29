using System.Net;
using System.Net.Sockets;

namespace RedisSessions.TestServers;

/// <summary>A port of 127.0.0.1 that was free a moment ago. Somebody else may take it first: whoever uses it tries again with another.</summary>
public static class FreePort
{
    /// <summary>How often a server is started before a lost race for its port counts as a failure.</summary>
    public const int Tries = 5;

    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
