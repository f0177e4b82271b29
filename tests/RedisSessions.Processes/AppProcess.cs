using System.Globalization;
using System.Runtime.InteropServices;

namespace RedisSessions.TestServers;

/// <summary>A web application of this repository as a process of its own, on a free loopback port.</summary>
public sealed class AppProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly ChildProcess _child;
    private readonly string _name;

    private AppProcess(ChildProcess child, string name, int port)
    {
        _child = child;
        _name = name;
        Address = new Uri($"http://127.0.0.1:{port}");
    }

    /// <summary>Where it listens: <c>http://127.0.0.1:port/</c>.</summary>
    public Uri Address { get; }

    public int ProcessId => _child.Id;

    public bool HasExited => _child.HasExited;

    /// <summary>Starts it, and waits until it answers.</summary>
    /// <param name="program">Its .dll; its folder becomes the content root.</param>
    /// <param name="settings">More arguments.</param>
    /// <param name="isReady">Whether it answers as it should; may throw what an <see cref="HttpClient"/> throws.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="wrapper">A program, and its arguments, that starts it in some special way.</param>
    public static async Task<AppProcess> StartAsync(
        string program, string[] settings, Func<HttpClient, Task<bool>> isReady, CancellationToken cancellationToken, params string[] wrapper)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Next();
            string[] command =
            [
                .. wrapper, Dotnet, "exec", program, "--urls", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"),
                "--contentRoot", Path.GetDirectoryName(program)!, .. settings,
            ];
            var child = await ChildProcess.StartAsync(command[0], command[1..], cancellationToken);
            var app = new AppProcess(child, Path.GetFileNameWithoutExtension(program), port);
            try
            {
                await app.AnswersAsync(isReady, cancellationToken);
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

    /// <summary>kill -9, as a crash or an operator does it.</summary>
    public Task KillAsync() => _child.KillAsync();

    /// <summary>Sends a signal by name: STOP, CONT, TERM.</summary>
    public Task SignalAsync(string signal) => _child.SignalAsync(signal);

    public ValueTask DisposeAsync() => _child.DisposeAsync();

    /// <summary>The dotnet that runs this process: shared/Microsoft.NETCore.App/10.x.y is three levels below it.</summary>
    private static string Dotnet => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));

    private async Task AnswersAsync(Func<HttpClient, Task<bool>> isReady, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(10) };
        await Poll.UntilAsync(
            async () =>
            {
                if (_child.HasExited)
                    throw new InvalidOperationException($"{_name} ended before it answered.\n{_child.Output}");
                try
                {
                    return await isReady(client) && !_child.HasExited;
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
                {
                    return false;
                }
            },
            Patience, $"{_name} answers", cancellationToken);
    }
}
