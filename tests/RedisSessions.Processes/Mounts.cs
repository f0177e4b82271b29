using System.ComponentModel;
using System.Diagnostics;

namespace RedisSessions.TestServers;

/// <summary>Mounts and unmounts. A machine may not have these programs, and may refuse root what they ask for.</summary>
public static class Mounts
{
    /// <summary>Why a test that mounts is skipped.</summary>
    public const string None = "no mount: this machine has no such program, or does not let root mount.";

    /// <summary>Calls <c>mount</c>; false where it does not succeed or is not installed.</summary>
    public static bool TryMount(params string[] arguments) => TryRun("mount", arguments);

    /// <summary>Calls <c>umount</c>; false where it does not succeed or is not installed.</summary>
    public static bool TryUnmount(params string[] arguments) => TryRun("umount", arguments);

    private static bool TryRun(string program, string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            // Not installed.
            return false;
        }
    }
}
