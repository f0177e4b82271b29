namespace RedisSessions.TestServers;

/// <summary>Finds programs on the PATH. A test that needs one which is not there is skipped, and names it.</summary>
public static class ProgramPath
{
    /// <summary>Where a program is, or null when this machine has none.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="elsewhere">Folders in which it may be besides, where packages put what users need not call.</param>
    public static string? Find(string program, params IEnumerable<string> elsewhere) => OperatingSystem.IsWindows()
        ? null
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Concat(elsewhere)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
