using System.Globalization;
using Xunit;

namespace RedisSessions.TestServers;

/// <summary>A file system of its own in memory, small enough to fill, that can be made read-only: permissions alone do not refuse root anything.</summary>
public sealed class SmallDisk : IDisposable
{
    private SmallDisk(string folder) => Folder = folder;

    public string Folder { get; }

    private string Filler => Path.Combine(Folder, "filler");

    /// <summary>Mounts it; skips the test where that is not possible.</summary>
    public static SmallDisk Mount(int kilobytes)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            Assert.Skip("mounting a small file system needs root on Linux.");
        var folder = Directory.CreateTempSubdirectory("disk-").FullName;
        if (Mounts.TryMount("-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={kilobytes}k,mode=0700"), "tmpfs", folder))
            return new SmallDisk(folder);
        Directory.Delete(folder);
        Assert.Skip(Mounts.None);
        return null;
    }

    /// <summary>Somebody else takes all the room that is left.</summary>
    public void Fill()
    {
        using var filler = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
                filler.Write(new byte[4096]);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>Somebody makes room.</summary>
    public void MakeRoom() => File.Delete(Filler);

    /// <summary>Nothing may be open for writing on it.</summary>
    public void MakeReadOnly() => Assert.True(Mounts.TryMount("-o", "remount,ro", Folder), "the file system is in use and could not be made read-only");

    public void MakeWritable() => Assert.True(Mounts.TryMount("-o", "remount,rw", Folder), "the file system could not be made writable");

    public void Dispose()
    {
        // Lazily: what is still open there goes when it is closed.
        Mounts.TryUnmount("-l", Folder);
        Directory.Delete(Folder);
    }
}
