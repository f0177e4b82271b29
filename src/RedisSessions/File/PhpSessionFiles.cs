using RedisSessions.Locking;

namespace RedisSessions.FileStore;

/// <summary>
/// Session files that are a PHP application's: named by the id, locked themselves (<c>flock</c>) while they are read or written, and written in place, because whoever waits for the lock has
/// the file open already. The modification time is when the session was last used. PHP collects them.
/// </summary>
internal sealed class PhpSessionFiles(SessionFolder folder, FileHandlerOptions options, PhpRecordFormat format, TimeProvider time)
{
    private const int LongestPause = 10;

    private readonly CommitQueue _queue = new();
    private readonly string _prefix = options.Layout == SessionLayout.Php ? "sess_" : "";

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return folder.RunAsync("read", (Files: this, key, idleTimeout, cancellationToken), static async state =>
        {
            var (files, idle) = (state.Files, state.idleTimeout);
            // Shared: readers wait for a writer, which with PHP's own handler is a whole request, and not for each other.
            using var file = await files.OpenAsync(state.key, FileMode.Open, FileAccess.Read, FileShare.Read, state.cancellationToken).ConfigureAwait(false);
            if (file is null || files.Current(state.key, file, idle, out _) is not { } record)
                return null;
            var now = files.Now;
            if (record.State == SessionState.Live && now - File.GetLastWriteTimeUtc(file.SafeFileHandle) > (record.IdleTimeout ?? idle) / 10)
                File.SetLastWriteTimeUtc(file.SafeFileHandle, now.UtcDateTime);
            return record;
        });
    }

    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        folder.RunAsync("commit", (Files: this, key, expected, record, idleTimeout, cancellationToken), static async state =>
        {
            var (files, key, creates) = (state.Files, state.key, state.expected == SessionVersion.None);
            // Before anything is made in the directory, because this may fail; what a forward is made from is in the file.
            var stored = state.record.State == SessionState.Forward ? null : files.Bytes(key, state.record, []);
            using var turn = await files.EnterAsync(key, state.cancellationToken).ConfigureAwait(false);
            using var file = await files.OpenAsync(key, creates ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.ReadWrite, FileShare.None, state.cancellationToken).ConfigureAwait(false);
            if (file is null)
                return CommitResult.Gone.Instance;
            var current = files.Current(key, file, state.idleTimeout, out var bytes);
            // A file without a byte is one that was made a moment ago, here or by PHP.
            if (current is not null && (creates ? bytes.Length > 0 : current.Version != state.expected))
                return new CommitResult.Conflict(current);
            if (current is null && !creates)
                return (CommitResult)CommitResult.Gone.Instance;

            stored ??= files.Bytes(key, state.record, bytes);
            file.Position = 0;
            file.Write(stored);
            file.SetLength(stored.Length);
            File.SetLastWriteTimeUtc(file.SafeFileHandle, files.Now.UtcDateTime);
            file.Flush(files.FlushToDisk);
            return CommitResult.Committed.Instance;
        });

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        folder.RunAsync("delete", (Files: this, key, cancellationToken), static async state =>
        {
            state.cancellationToken.ThrowIfCancellationRequested();
            using var file = await state.Files.OpenAsync(state.key, FileMode.Open, FileAccess.ReadWrite, FileShare.None, state.cancellationToken).ConfigureAwait(false);
            if (file is null)
                return false;
            File.Delete(state.Files.PathOf(state.key));
            return true;
        });

    private DateTimeOffset Now => folder.Now;

    private bool FlushToDisk => folder.FlushToDisk;

    private string PathOf(SessionKey key) => Path.Combine(folder.Path, _prefix + (key.TryGetId(out var id) ? id.Value : throw new InvalidOperationException(
        "This session's files are named by its id (Sessions:File:Layout), and the key gives none away: parse ids with SessionManager.IdFormat.")));

    private byte[] Bytes(SessionKey key, SessionRecord record, byte[] current) => format.Write(key, record, current);

    /// <summary>What is in a file, if its time is not up.</summary>
    private SessionRecord? Current(SessionKey key, FileStream file, TimeSpan idleTimeout, out byte[] bytes)
    {
        bytes = new byte[file.Length];
        file.Position = 0;
        file.ReadExactly(bytes);
        var record = format.Read(key, bytes, Now);
        var used = File.GetLastWriteTimeUtc(file.SafeFileHandle);
        return record.AbsoluteDeadline <= Now || Now - used >= (record.IdleTimeout ?? idleTimeout) ? null : record;
    }

    private async ValueTask<CommitQueue.Turn> EnterAsync(SessionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await _queue.EnterAsync(key, options.LockTimeout, time, cancellationToken).ConfigureAwait(false)
            ?? throw new TimeoutException("other requests of this process did not finish committing to the session");
    }

    /// <summary>Opens and locks a session's file; null when there is none.</summary>
    private async ValueTask<FileStream?> OpenAsync(SessionKey key, FileMode mode, FileAccess access, FileShare share, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        var started = time.GetTimestamp();
        for (var pause = 1; ; pause = Math.Min(2 * pause, LongestPause))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (FileLock.TryOpen(path, mode, access, share, out var file))
            {
                if (file is null || IsThere(path, file))
                    return file;
                // It was deleted while it was being waited for: what is in it is no session any more.
                file.Dispose();
                continue;
            }

            if (time.GetElapsedTime(started) >= options.LockTimeout)
                throw new TimeoutException("a request of PHP did not let go of the session's file within Sessions:File:LockTimeout");
            await Task.Delay(TimeSpan.FromMilliseconds(1 + Random.Shared.Next(pause)), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether the open file still has its name.</summary>
    private static bool IsThere(string path, FileStream file) => !OperatingSystem.IsLinux()
        ? File.Exists(path)
        : new FileInfo($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}").LinkTarget is not { } target || !target.EndsWith(" (deleted)", StringComparison.Ordinal);
}
