namespace RedisSessions.FileStore;

/// <summary>What the system throws, as the one exception of a store: what happened, and what to do.</summary>
internal static class FileFailure
{
    // An IOException has the system's own code in its HResult: errno, or on Windows an HRESULT.
    private const int NoSpace = 28, ReadOnly = 30, LinuxQuota = 122, MacQuota = 69;
    private const int WindowsDiskFull = unchecked((int)0x80070070), WindowsHandleDiskFull = unchecked((int)0x80070027), WindowsWriteProtect = unchecked((int)0x80070013);

    public static bool Is(Exception e) => e is IOException or UnauthorizedAccessException or FormatException or TimeoutException;

    public static SessionStoreException From(string directory, string verb, Exception e) => new("file", verb, e switch
    {
        FormatException or TimeoutException => e.Message,
        UnauthorizedAccessException => $"no permission in the directory '{directory}' (Sessions:File:Path): let the user of this process read and write it.",
        DirectoryNotFoundException => $"the directory '{directory}' (Sessions:File:Path) is not there any more: make it again, for the user of this process.",
        _ => e.HResult switch
        {
            NoSpace or WindowsDiskFull or WindowsHandleDiskFull =>
                $"disk full: make room on the disk of the directory '{directory}' (Sessions:File:Path), in bytes or in files. What was stored before is whole.",
            LinuxQuota or MacQuota => $"disk full: the quota of the user of this process is used up in the directory '{directory}' (Sessions:File:Path): raise it. What was stored before is whole.",
            ReadOnly or WindowsWriteProtect => $"the disk of the directory '{directory}' (Sessions:File:Path) is read-only: mount it writable; a system does so itself when a disk fails.",
            _ => $"the directory '{directory}' (Sessions:File:Path) cannot be used ({e.GetType().Name}): is its disk full, read-only or gone?",
        },
    }, e);
}
