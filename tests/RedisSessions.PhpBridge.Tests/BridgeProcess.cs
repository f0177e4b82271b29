using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using RedisSessions.TestServers;

namespace RedisSessions.PhpBridge.Tests;

/// <summary>The sample as a process, started as a user starts it, on a port that it chooses.</summary>
internal sealed partial class BridgeProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new(), _errors = new();

    private readonly DirectoryInfo _folder;

    private BridgeProcess(Process process, DirectoryInfo folder) => (_process, _folder) = (process, folder);

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    public int Pid => _process.Id;

    /// <summary>What it has started: nginx, php-fpm, redis-server.</summary>
    public IReadOnlyList<int> Servers { get; private set; } = [];

    /// <summary>Where it puts its temporary files.</summary>
    public string Folder => _folder.FullName;

    public IReadOnlyCollection<string> Output => _output;

    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>Starts it and waits until it is ready; skips the test on a machine that lacks what it needs.</summary>
    public static async Task<BridgeProcess> StartAsync(string store, CancellationToken cancellationToken)
    {
        SkipUnlessInstalled();
        var bridge = Launch([], "--store", store);
        try
        {
            await Poll.UntilAsync(() => bridge._process.HasExited || bridge._output.Any(ReadyLine().IsMatch), Patience, "the bridge is ready", cancellationToken);
            var ready = bridge._output.Select(static line => ReadyLine().Match(line)).FirstOrDefault(static match => match.Success);
            Assert.True(ready is not null, "The bridge did not start: " + string.Join(" | ", bridge._errors));
            bridge.Address = new Uri(ready.Groups["address"].Value);
            bridge.Servers = [.. ready.Groups["pid"].Captures.Select(static pid => int.Parse(pid.Value, CultureInfo.InvariantCulture))];
            return bridge;
        }
        catch
        {
            await bridge.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts one that is not expected to become ready.</summary>
    public static BridgeProcess Launch(Dictionary<string, string> environment, params string[] arguments)
    {
        var program = typeof(BridgeProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static data => data.Key == "PhpBridge").Value!;
        var start = new ProcessStartInfo(Environment.ProcessPath is { } own && Path.GetFileNameWithoutExtension(own) == "dotnet" ? own : "dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        // What the machine is set up for must not decide what is tested.
        foreach (var name in start.Environment.Keys.Where(static name => name.StartsWith("Sessions__", StringComparison.Ordinal) || name.StartsWith("ASPNETCORE_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        var folder = Directory.CreateTempSubdirectory("bridge-");
        start.Environment["TMPDIR"] = folder.FullName;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var process = new Process { StartInfo = start };
        var bridge = new BridgeProcess(process, folder);
        process.OutputDataReceived += (_, line) => Keep(bridge._output, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(bridge._errors, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return bridge;
    }

    public async Task<int> ExitCodeAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).WaitAsync(Patience, cancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await SignalAsync("TERM");
            await _process.WaitForExitAsync().WaitAsync(Patience);
        }

        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>Sends a signal by name.</summary>
    public Task SignalAsync(string signal) => ProcessSignal.SendAsync(signal, Pid);

    /// <summary>The servers, and all that they have started.</summary>
    public IReadOnlyList<int> Tree() => [.. Servers, .. Processes().Where(process => Servers.Contains(process.Parent)).Select(static process => process.Pid)];

    /// <summary>Whether a process runs; one that is dead and not yet collected by its parent does not.</summary>
    public static bool IsRunning(int pid) => Processes().Any(process => process.Pid == pid);

    public static void SkipUnlessInstalled()
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries), "/usr/sbin"];
        List<string> missing = [.. new[] { "nginx", "php-fpm", "redis-server" }.Where(program => !folders.Any(folder => Directory.Exists(folder) && Directory.EnumerateFiles(folder, program + "*").Any()))];
        if (!Directory.Exists("/usr/lib/php") || !Directory.EnumerateFiles("/usr/lib/php", "redis.so", SearchOption.AllDirectories).Any())
            missing.Add("php-redis");
        if (missing.Count > 0)
            Assert.Skip($"PHP bridge: {string.Join(", ", missing)} not installed");
    }

    private static IEnumerable<(int Pid, int Parent)> Processes()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(static folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            string stat;
            try
            {
                stat = File.ReadAllText(Path.Combine(folder, "stat"));
            }
            catch (IOException)
            {
                continue;
            }

            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            if (fields[0] is not ("Z" or "X"))
                yield return (int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture), int.Parse(fields[1], CultureInfo.InvariantCulture));
        }
    }

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (!string.IsNullOrEmpty(line))
            lines.Enqueue(line);
    }

    [GeneratedRegex(@"^PHP bridge ready: (?<address>http://\S+?)/? .*pids:(?: \S+=(?<pid>\d+))+\)")]
    private static partial Regex ReadyLine();
}
