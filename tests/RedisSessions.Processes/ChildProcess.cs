using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace RedisSessions.TestServers;

/// <summary>
/// A process that ends with this one, however this one ends: a shell between them holds a pipe from here and kills the child, and all that it
/// has started, when the pipe closes. A Ctrl-C in the terminal is heard here and not there. Output is kept, for the message of a failure.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private const string Guard = """
        trap '' INT
        exec 3<&0
        $(command -v setsid) "$@" 3<&- </dev/null >&2 &
        child=$!
        echo $child
        { cat <&3; kill -9 -$child || kill -9 $child; } >/dev/null 2>&1 &
        wait $child
        exit $?
        """;

    private const int KeptLines = 60;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Process _guard;
    private readonly ConcurrentQueue<string> _output = [];

    private ChildProcess(Process guard) => _guard = guard;

    /// <summary>Hears every line that any child writes.</summary>
    public static event Action<string>? Written;

    /// <summary>The child itself, not the shell.</summary>
    public int Id { get; private set; }

    public bool HasExited => _guard.HasExited;

    /// <summary>The last lines that the child has written.</summary>
    public string Output => string.Join('\n', _output);

    public static async Task<ChildProcess> StartAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])["-c", Guard, "guard", program, .. arguments])
            start.ArgumentList.Add(argument);

        var child = new ChildProcess(Process.Start(start) ?? throw new InvalidOperationException("No shell could be started."));
        child._guard.ErrorDataReceived += (_, line) => child.Keep(line.Data);
        child._guard.BeginErrorReadLine();
        var id = await child._guard.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(Patience, cancellationToken);
        child.Id = int.Parse(id ?? throw new InvalidOperationException($"{program} could not be started.\n{child.Output}"), CultureInfo.InvariantCulture);
        return child;
    }

    /// <summary>kill -9, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        await SignalAsync("KILL");
        await _guard.WaitForExitAsync().WaitAsync(Patience);
    }

    /// <summary>Asks it by a signal to end, with what it has started, and gives it time; then kill -9.</summary>
    public async Task StopAsync(string signal, TimeSpan patience)
    {
        await SignalAsync(signal);
        try
        {
            await _guard.WaitForExitAsync().WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            await KillAsync();
        }
    }

    /// <summary>Completes when it has ended, in whatever way.</summary>
    public Task ExitAsync() => _guard.WaitForExitAsync();

    /// <summary>Sends a signal by name: KILL, STOP, CONT, TERM. Nothing when the child has ended.</summary>
    public async Task SignalAsync(string signal)
    {
        if (HasExited)
            return;
        await ProcessSignal.SendAsync(signal, Id);
    }

    /// <summary>The same for the child and for the processes that it has started.</summary>
    public async Task SignalAllAsync(string signal)
    {
        if (HasExited)
            return;
        var id = Id.ToString(CultureInfo.InvariantCulture);
        // The child first: stopped, it starts no more.
        await SignalAsync(signal);
        var children = Directory.EnumerateDirectories($"/proc/{id}/task")
            .SelectMany(thread => File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(static child => int.Parse(child, CultureInfo.InvariantCulture));
        await ProcessSignal.SendAsync(signal, [Id, .. children]);
    }

    /// <summary>What happens when this process ends in whatever way: the pipe closes.</summary>
    public void CloseGuard() => _guard.StandardInput.Close();

    public async ValueTask DisposeAsync()
    {
        await SignalAsync("KILL");
        // The guard sees to what it has started, which would keep its output open.
        CloseGuard();
        await _guard.WaitForExitAsync().WaitAsync(Patience);
        _guard.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        Written?.Invoke(line);
        _output.Enqueue(line);
        while (_output.Count > KeptLines)
            _output.TryDequeue(out _);
    }
}
