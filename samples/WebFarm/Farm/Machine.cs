using System.Net;
using System.Net.Sockets;

namespace WebFarm.Farm;

/// <summary>What the farm finds on this machine: programs, ports, and the files of <c>docker/</c>.</summary>
internal static class Machine
{
    /// <summary>The scripts and settings that containers are started with too; copied beside the program.</summary>
    public static string Files(string component) => Path.Combine(AppContext.BaseDirectory, "docker", component);

    /// <summary>Those of the programs that are not on the PATH.</summary>
    public static string[] Missing(params string[] programs)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return [.. programs.Where(program => !Array.Exists(folders, folder => File.Exists(Path.Combine(folder, program))))];
    }

    /// <summary>Ports of 127.0.0.1 that were free a moment ago, all different.</summary>
    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(static _ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        try
        {
            return
            [
                .. listeners.Select(static listener =>
                {
                    listener.Start();
                    return ((IPEndPoint)listener.LocalEndpoint).Port;
                }),
            ];
        }
        finally
        {
            foreach (var listener in listeners)
                listener.Dispose();
        }
    }
}
