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
            else if (SessionKey.TryParse(Path.GetFileNameWithoutExtension(name), out var key) && MayGo(path, Path.GetExtension(name), key))
            {
                collected += await CollectAsync(key, cancellationToken).ConfigureAwait(false) ? 1 : 0;
            }
        }

        index.Collect(cancellationToken);
        return collected;
    }

    private bool MayGo(string path, string suffix, SessionKey key) => suffix switch
    {
        "" or FileSessionLeases.Suffix => File.GetLastWriteTimeUtc(path) <= folder.Now.UtcDateTime,
        // The lock of a session that was deleted, or that there never was.
        SessionFolder.LockSuffix => IsLeftover(path) && !File.Exists(folder.PathOf(key)) && !File.Exists(folder.PathOf(key) + FileSessionLeases.Suffix),
        _ => false,
    };

    private async ValueTask<bool> CollectAsync(SessionKey key, CancellationToken cancellationToken)
    {
        using var locked = await folder.LockAsync(key, cancellationToken).ConfigureAwait(false);
        // Somebody may have used it since it was listed.
        var (record, lease) = (DeleteExpired(folder.PathOf(key)), DeleteExpired(folder.PathOf(key) + FileSessionLeases.Suffix));

        // The lock file goes too. Whoever waits for it waits in vain for a name that is no more, which is harmless: the session is gone, an expected
        // version never creates, and a new session has a new name.
        if (record != Fate.Stays && lease != Fate.Stays)
            File.Delete(folder.PathOf(key) + SessionFolder.LockSuffix);
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
