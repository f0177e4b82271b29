using System.Diagnostics;

namespace WebFarm.Farm;

/// <summary>
/// One instance: a process of its own. Its standard input is the thread its life hangs on: when this process ends, however it ends, that closes, and the
/// instance ends too. On its standard output it says, in one line, where it listens or why it does not.
/// </summary>
internal sealed class InstanceProcess : IDisposable
{
    private readonly Process _process;

    // Not Process.HasExited: that raises the event Exited while it holds a lock, wherever it is called.
    private readonly Task _exit;

    private InstanceProcess(string name, Process process)
    {
        Name = name;
        Pid = process.Id;
        _process = process;
        _exit = process.WaitForExitAsync();
    }

    public string Name { get; }

    public int Pid { get; }

    /// <summary>Where it listens, once it does.</summary>
    public string? Address { get; private set; }

    public bool IsUp => Address is not null && !_exit.IsCompleted;

    public static InstanceProcess Launch(string name, IEnumerable<KeyValuePair<string, string?>> environment)
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        // Run as "dotnet WebFarm.dll", the program is dotnet.
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
            start.ArgumentList.Add(typeof(InstanceProcess).Assembly.Location);
        foreach (var argument in (string[])["--role", "instance", name])
            start.ArgumentList.Add(argument);
        foreach (var (key, value) in environment)
            start.Environment[key] = value;

        return new InstanceProcess(name, Process.Start(start)!);
    }

    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        var line = await _process.StandardOutput.ReadLineAsync(cancellationToken);
        Address = line?.Split(' ', 2) switch
        {
            ["ready", var address] => address,
            ["failed", var reason] => throw new StartupException(reason),
            _ => throw new StartupException($"Instance {Name} ended before it was ready."),
        };
    }

    public Task ExitAsync() => _exit;

    /// <summary>Ends it as a crash would: nothing is finished, nothing is said.</summary>
    public Task KillAsync()
    {
        _process.Kill();
        return _exit;
    }

    /// <summary>Lets go of it, and makes sure that it goes.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        _process.StandardInput.Close();
        try
        {
            await _exit.WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            await KillAsync();
        }
    }

    public void Dispose() => _process.Dispose();
}
