namespace RedisSessions.FileStore;

/// <summary>Collects what has expired, and what was left behind: by one process at a time, under the lock of each session.</summary>
internal sealed class ExpiredFiles(SessionFolder folder, FileUserIndex index)
{
    private const string CollectLock = "collect.lock";

    /// <returns>How many records were removed.</returns>
    public async ValueTask<int> CollectAsync(CancellationToken cancellationToken)
    {
        using var mine = FileLock.TryAcquire(Path.Combine(folder.Path, CollectLock));
        if (mine is null)
            return 0;
        var collected = 0;
        foreach (var path in Directory.EnumerateFiles(folder.Path))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var name = Path.GetFileName(path);
            if (name.EndsWith(SessionFile.TemporarySuffix, StringComparison.Ordinal))
            {
                // Its modification time is the deadline it was made for; when it was made is what counts.
                if (IsLeftover(path))
                    File.Delete(path);
            }
            else if (SessionKey.TryParse(Path.GetFileNameWithoutExtension(name), out var key))
            {
                if (Path.GetExtension(name) == SessionFolder.LockSuffix)
                    CollectLockOf(key);
                else if (Path.GetExtension(name) is "" or FileSessionLeases.Suffix && File.GetLastWriteTimeUtc(path) <= folder.Now.UtcDateTime)
                    collected += await CollectAsync(key, cancellationToken).ConfigureAwait(false) ? 1 : 0;
            }
        }

        index.Collect(cancellationToken);
        return collected;
    }

    /// <summary>A session that was deleted, or could not be made, leaves its lock file behind.</summary>
    private void CollectLockOf(SessionKey key)
    {
        if (IsNeeded())
            return;
        var path = folder.PathOf(key) + SessionFolder.LockSuffix;
        using var mine = FileLock.TryAcquire(path);
        // It may have been made since.
        if (mine is not null && !IsNeeded())
            FileLock.Remove(mine, path);

        bool IsNeeded() => File.Exists(folder.PathOf(key)) || File.Exists(folder.PathOf(key) + FileSessionLeases.Suffix);
    }

    private async ValueTask<bool> CollectAsync(SessionKey key, CancellationToken cancellationToken)
    {
        using var locked = await folder.LockAsync(key, cancellationToken).ConfigureAwait(false);
        // Somebody may have used it since it was listed.
        var (record, lease) = (DeleteExpired(folder.PathOf(key)), DeleteExpired(folder.PathOf(key) + FileSessionLeases.Suffix));
        if (record != Fate.Stays && lease != Fate.Stays)
            locked.Remove(folder.PathOf(key) + SessionFolder.LockSuffix);
        return record == Fate.Deleted;
    }

    private Fate DeleteExpired(string path)
    {
        var file = new SessionFile(path);
        using (var contents = file.Read())
        {
            if (contents is null)
                return Fate.Missing;
            if (contents.IdleDeadline > folder.Now)
                return Fate.Stays;
        }

        file.Delete();
        return Fate.Deleted;
    }

    private bool IsLeftover(string path) => folder.Now - File.GetCreationTimeUtc(path) > SessionFolder.Leftover;

    private enum Fate
    {
        Missing,
        Stays,
        Deleted,
    }
}
