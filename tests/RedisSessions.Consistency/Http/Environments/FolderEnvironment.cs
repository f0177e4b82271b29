namespace RedisSessions.Consistency.Http.Environments;

/// <summary>A folder of this machine: session files, or one file of SQLite.</summary>
internal sealed class FolderEnvironment(Func<string, IReadOnlyList<string>> settings) : HttpEnvironment
{
    private readonly string _folder = Directory.CreateTempSubdirectory("store-").FullName;

    public override ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    protected override IReadOnlyList<string> StoreSettings(int process) => settings(_folder);

    /// <summary>Arguments for sessions in files.</summary>
    public static IReadOnlyList<string> ForFiles(string folder) =>
        ["--Sessions:Handler=file", $"--Sessions:File:Path={Path.Combine(folder, "sessions")}", "--Sessions:File:FlushToDisk=false"];

    /// <summary>Arguments for sessions in SQLite.</summary>
    public static IReadOnlyList<string> ForSqlite(string folder) =>
        DatabaseEnvironment.ForDatabase("sqlite", $"Data Source={Path.Combine(folder, "sessions.db")}");
}
