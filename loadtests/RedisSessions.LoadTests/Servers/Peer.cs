using System.Reflection;
using RedisSessions.TestServers;

namespace RedisSessions.LoadTests.Servers;

/// <summary>A peer of loadtests/Peers as a process of its own.</summary>
internal static class Peer
{
    /// <summary>Starts one and waits until it answers.</summary>
    /// <param name="peer">By its name there.</param>
    /// <param name="redis">Where its sessions are.</param>
    /// <param name="keys">A folder for the framework's keys; empty for others.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FileNotFoundException">It is not built.</exception>
    public static Task<AppProcess> StartAsync(string peer, string redis, string keys, CancellationToken cancellationToken)
    {
        var path = typeof(Peer).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "PeersPath").Value!;
        if (!File.Exists(path))
            throw new FileNotFoundException("loadtests/Peers is not built in this configuration.");
        return AppProcess.StartAsync(path, [$"--peer={peer}", $"--redis={redis}", $"--keys={keys}"],
            async client => await client.GetStringAsync("hello", cancellationToken) == "hello", cancellationToken);
    }
}
