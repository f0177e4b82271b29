using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using RedisSessions.TestServers;

namespace RedisSessions.WebFarm.Tests;

/// <summary>A web farm as a process, started as a user starts it, on a port that the system chooses.</summary>
public sealed partial class FarmProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new(), _errors = new();

    private FarmProcess(Process process) => _process = process;

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    public int Pid => _process.Id;

    public IReadOnlyCollection<string> Output => _output;

    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>Starts a farm and waits until it is ready.</summary>
    public static async Task<FarmProcess> StartAsync(CancellationToken cancellationToken, string? redisUrl = null, params string[] settings)
    {
        var farm = Launch(redisUrl is null ? [] : new() { ["REDIS_URL"] = redisUrl }, ["--urls", "http://127.0.0.1:0", .. settings]);
        try
        {
            await Poll.UntilAsync(() => farm._process.HasExited || farm._output.Any(ReadyLine().IsMatch), Patience, "the farm to be ready", cancellationToken);
            var ready = farm._output.Select(static line => ReadyLine().Match(line)).FirstOrDefault(static match => match.Success);
            Assert.True(ready is not null, "The farm did not start: " + string.Join(" | ", farm._errors));
            farm.Address = new Uri(ready.Groups[1].Value);
            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a farm that is not expected to become ready.</summary>
    public static FarmProcess Launch(Dictionary<string, string> environment, params string[] arguments)
    {
        var program = typeof(FarmProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static data => data.Key == "WebFarm").Value!;
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        // What the machine is set up for must not decide what is tested.
        foreach (var name in (string[])["REDIS_URL", "Sessions__Redis__Configuration", "ASPNETCORE_URLS", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"])
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var process = new Process { StartInfo = start };
        var farm = new FarmProcess(process);
        process.OutputDataReceived += (_, line) => Keep(farm._output, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(farm._errors, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return farm;
    }

    public async Task<int> ExitCodeAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(Patience);
        await _process.WaitForExitAsync(timeout.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        // It has folders to remove.
        if (!_process.HasExited && _process.StartInfo.ArgumentList.Contains("--topology"))
        {
            await ProcessSignal.SendAsync("TERM", Pid);
            try
            {
                await ExitCodeAsync(CancellationToken.None);
            }
            catch (OperationCanceledException)
            {
                // Killed below.
            }
        }

        if (!_process.HasExited)
        {
            // The balancer alone: that its instances follow by themselves is a promise of the farm.
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    /// <summary>
    /// Whether a process runs. One that is dead and not yet collected by its parent does not; but one of which only the first thread is dead may still
    /// have its connections open, and take a request with it.
    /// </summary>
    public static bool IsRunning(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X') || Directory.GetDirectories($"/proc/{pid}/task").Length > 1;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (string.IsNullOrEmpty(line))
            return;
        TestServers.Secrets.Seen("the output of the farm", line);
        lines.Enqueue(line);
    }

    [GeneratedRegex(@"^Web farm ready: (http://\S+)")]
    private static partial Regex ReadyLine();
}

/// <summary>A farm for the tests of a class that leave it as it was.</summary>
public sealed class FarmFixture : IAsyncLifetime
{
    public FarmProcess Farm { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Farm = await FarmProcess.StartAsync(CancellationToken.None);

    public ValueTask DisposeAsync() => Farm.DisposeAsync();
}
