using Microsoft.Extensions.Options;
using RedisSessions.FileStore;
using RedisSessions.Locking;

namespace RedisSessions;

/// <summary>
/// Records in files, for one machine with any number of processes: the handler "file", which is always there. File names are the session keys, which are
/// hashes: nothing that a client sends reaches a path.
/// </summary>
internal sealed class FileSessionHandler : ISessionHandler, IExpiredSessions
{
    private const string LockSuffix = ".lock", CollectLock = "collect.lock";

    // What a crash has left is younger than this only while somebody may still be writing it.
    private static readonly TimeSpan Leftover = TimeSpan.FromMinutes(10);

    private readonly FileHandlerOptions _options;
    private readonly TimeProvider _time;
    private readonly CommitQueue _queue = new();
    private readonly Lazy<string> _directory;

    public FileSessionHandler(IOptions<FileHandlerOptions> options, TimeProvider time)
    {
        _options = options.Value;
        _time = time;
        _directory = new Lazy<string>(MakeDirectory, LazyThreadSafetyMode.PublicationOnly);
    }

    /// <inheritdoc/>
    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using var contents = new SessionFile(PathOf(key)).Read();
            if (Current(contents) is not { } record)
                return default;
            // Once in a tenth of the idle time is enough: a session that is used slides, and a page with twenty requests writes nothing.
            var now = _time.GetUtcNow();
            var until = now + record.Lifetime(now, idleTimeout);
            if (record.State == SessionState.Live && until - contents!.IdleDeadline > idleTimeout / 10)
                contents.Slide(until);
            return new(record);
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            throw FileFailure.From(_options.Path, "read", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        try
        {
            using var locked = await LockAsync(key, cancellationToken).ConfigureAwait(false);
            var file = new SessionFile(PathOf(key));
            using (var contents = file.Read())
            {
                var current = Current(contents);
                if (expected == SessionVersion.None ? current is not null : current is not null && current.Version != expected)
                    return new CommitResult.Conflict(current!);
                if (expected != SessionVersion.None && current is null)
                    return CommitResult.Gone.Instance;
            }

            var now = _time.GetUtcNow();
            file.Replace(RecordFormat.Write(record), now + record.Lifetime(now, idleTimeout), _options.FlushToDisk);
            return CommitResult.Committed.Instance;
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            throw FileFailure.From(_options.Path, "commit", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var file = new SessionFile(PathOf(key));
            if (!file.Exists)
                return false;
            using var locked = await LockAsync(key, cancellationToken).ConfigureAwait(false);
            return file.Delete();
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            throw FileFailure.From(_options.Path, "delete", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> CollectAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var mine = FileLock.TryAcquire(Path.Combine(_directory.Value, CollectLock));
            return mine is null ? 0 : await CollectLockedAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            throw FileFailure.From(_options.Path, "collect", e);
        }
    }

    private async ValueTask<int> CollectLockedAsync(CancellationToken cancellationToken)
    {
        var collected = 0;
        foreach (var path in Directory.EnumerateFiles(_directory.Value))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var name = Path.GetFileName(path);
            if (name.EndsWith(SessionFile.TemporarySuffix, StringComparison.Ordinal))
            {
                // Its modification time is the deadline it was made for; when it was made is what counts.
                if (_time.GetUtcNow() - File.GetCreationTimeUtc(path) > Leftover)
                    File.Delete(path);
            }
            else if (SessionKey.TryParse(name, out var key) && File.GetLastWriteTimeUtc(path) <= _time.GetUtcNow().UtcDateTime)
            {
                collected += await CollectAsync(key, cancellationToken).ConfigureAwait(false) ? 1 : 0;
            }
            else if (name.EndsWith(LockSuffix, StringComparison.Ordinal) && SessionKey.TryParse(name[..^LockSuffix.Length], out key))
            {
                CollectLockOf(key);
            }
        }

        return collected;
    }

    private async ValueTask<bool> CollectAsync(SessionKey key, CancellationToken cancellationToken)
    {
        using var locked = await LockAsync(key, cancellationToken).ConfigureAwait(false);
        var file = new SessionFile(PathOf(key));
        using (var contents = file.Read())
        {
            // Somebody may have used it since it was listed.
            if (contents is null || contents.IdleDeadline > _time.GetUtcNow())
                return false;
        }

        file.Delete();
        locked.Remove(PathOf(key) + LockSuffix);
        return true;
    }

    /// <summary>A session that was deleted, or could not be made, leaves its lock file behind.</summary>
    private void CollectLockOf(SessionKey key)
    {
        var file = new SessionFile(PathOf(key));
        if (file.Exists)
            return;
        using var mine = FileLock.TryAcquire(PathOf(key) + LockSuffix);
        // It may have been made since.
        if (mine is not null && !file.Exists)
            FileLock.Remove(mine, PathOf(key) + LockSuffix);
    }

    /// <summary>The record, if its idle deadline has not passed.</summary>
    private SessionRecord? Current(SessionFile.Contents? contents) =>
        contents is null || contents.IdleDeadline <= _time.GetUtcNow() ? null : RecordFormat.Read(contents.Bytes);

    private async ValueTask<Held> LockAsync(SessionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var turn = await _queue.EnterAsync(key, _options.LockTimeout, _time, cancellationToken).ConfigureAwait(false)
            ?? throw new TimeoutException("other requests of this process did not finish committing to the session");
        try
        {
            return new Held(turn, await FileLock.AcquireAsync(PathOf(key) + LockSuffix, _options.LockTimeout, _time, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    private string PathOf(SessionKey key) => Path.Combine(_directory.Value, key.Value);

    private string MakeDirectory()
    {
        var path = Path.GetFullPath(_options.Path);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>First the line within this process, then the lock among processes.</summary>
    private readonly struct Held(CommitQueue.Turn turn, FileStream file) : IDisposable
    {
        public void Remove(string path) => FileLock.Remove(file, path);

        public void Dispose()
        {
            file.Dispose();
            turn.Dispose();
        }
    }
}
