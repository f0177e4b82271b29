using System.Diagnostics;
using System.Globalization;

namespace RedisSessions.TestServers;

/// <summary>Sends signals to processes. The shell itself does it: the program <c>kill</c> is not on every machine.</summary>
public static class ProcessSignal
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Sends a signal by name: KILL, STOP, CONT, TERM. A process that has ended meanwhile is no error.</summary>
    public static async Task SendAsync(string signal, params IEnumerable<int> pids)
    {
        var ids = pids.Select(static pid => pid.ToString(CultureInfo.InvariantCulture));
        var start = new ProcessStartInfo("/bin/sh", ["-c", "kill -\"$0\" \"$@\"", signal, .. ids])
        {
            // "No such process" is expected.
            RedirectStandardError = true,
        };
        using var shell = Process.Start(start)!;
        await shell.StandardError.ReadToEndAsync().WaitAsync(Patience);
        await shell.WaitForExitAsync().WaitAsync(Patience);
    }
}
