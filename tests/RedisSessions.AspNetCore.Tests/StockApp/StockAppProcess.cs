using System.Reflection;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests.StockApp;

/// <summary>samples/StockApp as a process of its own on a free loopback port.</summary>
internal static class StockAppProcess
{
    /// <summary>Starts the shop and waits until it answers.</summary>
    /// <param name="settings"><c>--stock</c> for the framework's session, and what else it is to be told.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<AppProcess> StartAsync(string[] settings, CancellationToken cancellationToken)
    {
        var program = typeof(StockAppProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static data => data.Key == "StockAppPath").Value!;
        return AppProcess.StartAsync(
            program, ["--environment", "Development", "--Logging:LogLevel:Default=Warning", .. settings],
            async client => (await client.GetStringAsync("/", cancellationToken)).Contains("Thirteen Posters", StringComparison.Ordinal), cancellationToken);
    }
}
