using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;

namespace RedisSessions.AspNetCore.Tests.Chaos;

/// <summary>A file has no answer to lose; what can go wrong instead is flushing, after the record has been replaced, and replacing itself.</summary>
public sealed class FileFaultTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("sessions-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_commit_whose_flush_fails_is_no_success_and_counts_once()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Unix permissions make the fault.");
            return;
        }

        // Root may open everything: the instance must not have that right, or flushing the directory could not be made to fail.
        Assert.SkipWhen(Environment.IsPrivilegedProcess && ProgramPath.Find("setpriv") is null, "no setpriv on the PATH: root gives up a right by it.");
        string[] wrapper = Environment.IsPrivilegedProcess ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"] : [];
        await using var farm = await LoadedFarm.StartAsync(1, 4, ["--Sessions:Handler=file", $"--Sessions:File:Path={_directory}", "--Sessions:File:FlushToDisk=true"], wrapper);
        await PushAllAsync(Outcome.Acknowledged);
        // Files can be made and renamed in it, and it cannot be opened to be flushed.
        File.SetUnixFileMode(_directory, UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await PushAllAsync(Outcome.Unknown);
        await PushAllAsync(Outcome.Unknown);
        File.SetUnixFileMode(_directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await PushAllAsync(Outcome.Acknowledged);
        await farm.VerifyAsync();
        // They did fail after the record had been replaced, or this test would say nothing.
        var last = farm.History.Operations.OfType<Looked>().Last(look => look.Session == "s0");
        Assert.Equal(4, last.Tokens!.Count);

        async Task PushAllAsync(Outcome expected)
        {
            for (var session = 0; session < 4; session++)
                Assert.Equal(expected, await farm.PushAsync(session, 0));
        }
    }

    [Fact]
    public async Task A_commit_whose_rename_fails_is_no_success_and_changes_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "mounting needs root on Linux.");
        await using var farm = await LoadedFarm.StartAsync(1, 1, ["--Sessions:Handler=file", $"--Sessions:File:Path={_directory}", "--Sessions:File:FlushToDisk=true"]);
        Assert.Equal(Outcome.Acknowledged, await farm.PushAsync(0, 0));
        var file = Assert.Single(Directory.GetFiles(_directory), static path => Path.GetExtension(path).Length == 0);
        // Nothing can be renamed over a file that something is mounted on.
        Assert.SkipUnless(Mounts.TryMount("--bind", file, file), Mounts.None);
        try
        {
            for (var i = 0; i < 3; i++)
                Assert.Equal(Outcome.Unknown, await farm.PushAsync(0, 0));
        }
        finally
        {
            Assert.True(Mounts.TryUnmount(file));
        }

        Assert.Equal(Outcome.Acknowledged, await farm.PushAsync(0, 0));
        await farm.VerifyAsync();
        Assert.Equal(2, farm.History.Operations.OfType<Looked>().Last().Tokens!.Count);
        Assert.Empty(Directory.GetFiles(_directory, "*.tmp"));
    }
}
