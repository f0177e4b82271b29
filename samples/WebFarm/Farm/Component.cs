using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace WebFarm.Farm;

/// <summary>
/// A server that is not ours, as a process: started by a script of <c>docker/</c>, told to end when the farm ends, and killed when the farm dies. A shell between them
/// holds a pipe from here. The server has a process group of its own, so that Ctrl-C in a terminal reaches the farm alone: instances need their Redis to
/// the end.
/// </summary>
internal sealed class Component : IAsyncDisposable
{
    // Job control gives the child its group. A line on the pipe asks it to end; the end of the pipe kills it and its children.
    private const string Guard = """
        trap : INT
        exec 3<&0
        exec 4>&2 2>/dev/null
        set -m
        "$@" 3<&- </dev/null >&4 2>&4 4>&- &
        child=$!
        echo $child
        { read -r _ <&3 && kill -TERM $child; cat <&3 >/dev/null; kill -KILL -- -$child; } 4>&- &
        watch=$!
        while kill -0 $child 2>/dev/null; do wait $child; done
        kill -KILL -- -$watch
        """;

    private const int KeptLines = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly Process _guard;
    private readonly ConcurrentQueue<string> _said = new();
    private readonly Task _exit;

    private Component(string name, Process guard)
    {
        Name = name;
        _guard = guard;
        _exit = guard.WaitForExitAsync();
    }

    /// <summary>For people: primary, replica-1, …</summary>
    public string Name { get; }

    /// <summary>The server, not the shell.</summary>
    public int Pid { get; private set; }

    public bool HasExited => _exit.IsCompleted;

    /// <summary>The last thing that it said.</summary>
    public string LastWords => _said.LastOrDefault() ?? "nothing";

    /// <summary>The first thing that it said with this word in it; without one, the last.</summary>
    public string Words(string word) => _said.FirstOrDefault(line => line.Contains(word, StringComparison.Ordinal)) ?? LastWords;

    /// <summary>The programs that this needs, beside the server itself.</summary>
    public static string Shell => "bash";

    public static async Task<Component> StartAsync(string name, string script, string[] arguments, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var start = Prepare(Shell, ["-c", Guard, "guard", "/bin/sh", script, .. arguments], environment);
        start.RedirectStandardInput = true;
        var component = new Component(name, Process.Start(start)!);
        component._guard.ErrorDataReceived += (_, line) => component.Keep(line.Data);
        component._guard.BeginErrorReadLine();
        if (!int.TryParse(await component._guard.StandardOutput.ReadLineAsync(), CultureInfo.InvariantCulture, out var pid))
            throw new StartupException($"{name} cannot be started: {component.LastWords}");
        component.Pid = pid;
        return component;
    }

    /// <summary>Runs a script to its end; gives its exit code and the last line that it wrote.</summary>
    public static async Task<(int ExitCode, string LastWords)> RunAsync(
        string script, string[] arguments, IEnumerable<KeyValuePair<string, string>> environment, CancellationToken cancellationToken)
    {
        using var process = Process.Start(Prepare("/bin/sh", [script, .. arguments], environment))!;
        try
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, (await output + await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    public Task ExitAsync() => _exit;

    /// <summary>Asks it to end, and makes sure that it does.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _guard.StandardInput.WriteLineAsync("end");
            await _guard.StandardInput.FlushAsync();
            await _exit.WaitAsync(Patience);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // Gone already, or to be killed.
        }

        CloseInput();
        await _exit;
        _guard.Dispose();
    }

    private void CloseInput()
    {
        try
        {
            _guard.StandardInput.Close();
        }
        catch (IOException)
        {
            // What could not be written before cannot be written now.
        }
    }

    private static ProcessStartInfo Prepare(string program, string[] arguments, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        return start;
    }

    private void Keep(string? line)
    {
        if (string.IsNullOrEmpty(line))
            return;
        _said.Enqueue(line);
        while (_said.Count > KeptLines)
            _said.TryDequeue(out _);
    }
}
