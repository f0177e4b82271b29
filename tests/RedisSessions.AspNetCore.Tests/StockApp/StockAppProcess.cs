using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests.StockApp;

/// <summary>samples/StockApp as a process of its own on a free loopback port.</summary>
internal sealed class StockAppProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly ChildProcess _child;

    private StockAppProcess(ChildProcess child, int port)
    {
        _child = child;
        Address = new Uri($"http://127.0.0.1:{port}");
    }

    public Uri Address { get; }

    /// <summary>Starts the shop and waits until it answers.</summary>
    /// <param name="settings"><c>--stock</c> for the framework's session, and what else it is to be told.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<StockAppProcess> StartAsync(string[] settings, CancellationToken cancellationToken)
    {
        var program = typeof(StockAppProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static data => data.Key == "StockAppPath").Value!;
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Next();
            var child = await ChildProcess.StartAsync(
                Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet")),
                [
                    "exec", program, "--urls", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"), "--environment", "Development",
                    "--contentRoot", Path.GetDirectoryName(program)!, "--Logging:LogLevel:Default=Warning", .. settings,
                ],
                cancellationToken);
            var app = new StockAppProcess(child, port);
            try
            {
                await app.AnswersAsync(cancellationToken);
                return app;
            }
            catch (InvalidOperationException) when (attempt < FreePort.Tries && child.Output.Contains("address already in use", StringComparison.Ordinal))
            {
                await app.DisposeAsync();
            }
            catch
            {
                await app.DisposeAsync();
                throw;
            }
        }
    }

    public ValueTask DisposeAsync() => _child.DisposeAsync();

    private async Task AnswersAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(10) };
        await Poll.UntilAsync(
            async () =>
            {
                if (_child.HasExited)
                    throw new InvalidOperationException($"StockApp ended before it answered.\n{_child.Output}");
                try
                {
                    return (await client.GetStringAsync("/", cancellationToken)).Contains("Thirteen Posters", StringComparison.Ordinal) && !_child.HasExited;
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
                {
                    return false;
                }
            },
            Patience, "StockApp answers", cancellationToken);
    }
}
