using System.Runtime.InteropServices;

namespace RedisSessions.FileStore;

/// <summary>
/// One session as a file: its bytes are the record, its modification time is the idle deadline. It is only ever replaced whole, by renaming a finished file
/// over it, so a crash at any moment leaves the old record or the new one.
/// </summary>
internal sealed class SessionFile(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public bool Exists => File.Exists(path);

    /// <summary>Bytes and idle deadline, seen at one moment; null when there is no file.</summary>
    public Contents? Read()
    {
        try
        {
            // Committing renames another file over this one; whoever has it open reads on in the old one.
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            try
            {
                var bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
                return new Contents(stream, bytes, File.GetLastWriteTimeUtc(stream.SafeFileHandle));
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    public void Replace(ReadOnlySpan<byte> bytes, DateTimeOffset idleDeadline, bool flushToDisk)
    {
        // In the same directory, because renaming is atomic within a file system only. The name is never that of a session.
        var temporary = $"{path}.{Guid.NewGuid():N}{TemporarySuffix}";
        try
        {
            using (var stream = new FileStream(temporary, Created(FileMode.CreateNew, FileShare.Read)))
            {
                stream.Write(bytes);
                File.SetLastWriteTimeUtc(stream.SafeFileHandle, idleDeadline.UtcDateTime);
                stream.Flush(flushToDisk);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        // The bytes are safe; so must be the name, which the directory holds.
        if (flushToDisk)
            FlushDirectory(System.IO.Path.GetDirectoryName(path)!);
    }

    public bool Delete()
    {
        if (!Exists)
            return false;
        File.Delete(path);
        return true;
    }

    /// <summary>What an unfinished <see cref="Replace"/> leaves behind after a crash ends in this.</summary>
    public const string TemporarySuffix = ".tmp";

    public static FileStreamOptions Created(FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        return options;
    }

    /// <summary>An open session file: what happens to its deadline happens to the record that was read, not to one that has replaced it.</summary>
    public sealed class Contents(FileStream stream, byte[] bytes, DateTime idleDeadline) : IDisposable
    {
        public byte[] Bytes { get; } = bytes;

        public DateTimeOffset IdleDeadline { get; } = idleDeadline;

        public void Slide(DateTimeOffset to) => File.SetLastWriteTimeUtc(stream.SafeFileHandle, to.UtcDateTime);

        public void Dispose() => stream.Dispose();
    }

    /// <summary>Waits until the disk has the names of a directory. Windows has them with the files.</summary>
    public static void FlushDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = NativeMethods.Open(directory, 0);
        if (descriptor < 0)
            throw new IOException($"The directory could not be opened for flushing (error {Marshal.GetLastPInvokeError()}).");
        try
        {
            if (NativeMethods.FSync(descriptor) != 0)
                throw new IOException($"The directory could not be flushed to disk (error {Marshal.GetLastPInvokeError()}).");
        }
        finally
        {
            _ = NativeMethods.Close(descriptor);
        }
    }

    /// <summary>.NET opens no directories, and only an open one can be flushed.</summary>
    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        public static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

        [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        public static extern int FSync(int descriptor);

        [DllImport("libc", EntryPoint = "close")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        public static extern int Close(int descriptor);
    }
}
