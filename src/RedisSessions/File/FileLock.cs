namespace RedisSessions.FileStore;

/// <summary>
/// An advisory lock over processes: a file that is opened for nobody else. The system lets go of it when the process ends, however it ends.
/// </summary>
internal static class FileLock
{
    private const int UnixWouldBlock = 11, MacWouldBlock = 35, WindowsSharingViolation = unchecked((int)0x80070020);

    /// <summary>The lock, or null when somebody else has it.</summary>
    public static FileStream? TryAcquire(string path)
    {
        try
        {
            var file = new FileStream(path, SessionFile.Created(FileMode.OpenOrCreate, FileShare.None));
            if (file.Length == 0)
                return file;
            // It was removed between opening and locking it: whoever comes next has another one.
            file.Dispose();
            return null;
        }
        catch (IOException e) when (e.HResult is UnixWouldBlock or MacWouldBlock or WindowsSharingViolation)
        {
            return null;
        }
    }

    /// <summary>Opens a file and locks it by itself, for writing (<see cref="FileShare.None"/>) or for reading, if nobody else has it locked: on Unix this is <c>flock</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mode">Open or make it.</param>
    /// <param name="access">To read, or to read and write.</param>
    /// <param name="share">With whom the lock is shared.</param>
    /// <param name="file">The file; null when there is none.</param>
    /// <returns>False when somebody else has it.</returns>
    public static bool TryOpen(string path, FileMode mode, FileAccess access, FileShare share, out FileStream? file)
    {
        file = null;
        try
        {
            var options = SessionFile.Created(mode, share);
            options.Access = access;
            if (mode == FileMode.Open && !OperatingSystem.IsWindows())
                options.UnixCreateMode = null;
            file = new FileStream(path, options);
            return true;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        catch (IOException e) when (e.HResult is UnixWouldBlock or MacWouldBlock or WindowsSharingViolation)
        {
            return false;
        }
    }

    /// <summary>Removes the file of a lock that one has. Somebody may have opened it already: it has a length from now on, so that nobody takes it for a lock.</summary>
    public static void Remove(FileStream held, string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(path);
            held.SetLength(1);
            return;
        }

        // Windows removes only what nobody has open.
        held.Dispose();
        try
        {
            File.Delete(path);
        }
        catch (IOException)
        {
            // Somebody was faster and needs it.
        }
    }

    /// <summary>Waits for the lock. Other threads of this process have queued up before: what is waited for is another process, for the length of its commit.</summary>
    /// <exception cref="TimeoutException">It did not come in time.</exception>
    public static async ValueTask<FileStream> AcquireAsync(string path, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var wait = 1; ; wait = Math.Min(wait * 2, 16))
        {
            if (TryAcquire(path) is { } acquired)
                return acquired;
            if (time.GetElapsedTime(started) >= timeout)
                throw new TimeoutException("another process did not let go of the session's lock file");
            await Task.Delay(TimeSpan.FromMilliseconds(1 + Random.Shared.Next(wait)), time, cancellationToken).ConfigureAwait(false);
        }
    }
}
