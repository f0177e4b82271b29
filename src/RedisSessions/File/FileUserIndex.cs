using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace RedisSessions.FileStore;

/// <summary>The sessions of a user as empty files, <c>users/{base64url(SHA-256(user id))}/{key}</c>: nothing that a user is called reaches a path.</summary>
internal sealed class FileUserIndex(SessionFolder folder)
{
    private const string Users = "users";

    /// <summary>Leaves a mark that the session may be this user's; its time is when that was.</summary>
    public void Add(string userId, SessionKey key)
    {
        var path = FolderOf(userId);
        for (var attempt = 1; ; attempt++)
        {
            // One after the other: what is made on the way to a directory gets the system's mode, and not the one that was asked for.
            SessionFolder.Make(Path.GetDirectoryName(path)!);
            SessionFolder.Make(path);
            try
            {
                using (var stream = new FileStream(Path.Combine(path, key.Value), SessionFile.Created(FileMode.OpenOrCreate, FileShare.ReadWrite | FileShare.Delete)))
                {
                    File.SetLastWriteTimeUtc(stream.SafeFileHandle, folder.Now.UtcDateTime);
                    stream.Flush(folder.FlushToDisk);
                }

                break;
            }
            catch (DirectoryNotFoundException) when (attempt < 10)
            {
                // It was empty, and somebody was just taking it away.
            }
        }

        if (!folder.FlushToDisk)
            return;
        SessionFile.FlushDirectory(path);
        SessionFile.FlushDirectory(Path.GetDirectoryName(path)!);
        SessionFile.FlushDirectory(folder.Path);
    }

    public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userId);
        cancellationToken.ThrowIfCancellationRequested();
        return folder.RunAsync("find", (Index: this, userId, cancellationToken), static state =>
        {
            List<IndexedSession> found = [];
            foreach (var (mark, key) in Marks(state.Index.FolderOf(state.userId)))
            {
                state.cancellationToken.ThrowIfCancellationRequested();
                if (state.Index.Look(key) is { } session)
                    found.Add(session);
                else
                    state.Index.Forget(mark);
            }

            return new ValueTask<IReadOnlyList<IndexedSession>>(found);
        });
    }

    /// <summary>Takes away the marks of sessions that are gone, and folders without any.</summary>
    public void Collect(CancellationToken cancellationToken)
    {
        var users = Path.Combine(folder.Path, Users);
        if (!Directory.Exists(users))
            return;
        foreach (var user in Directory.EnumerateDirectories(users))
        {
            foreach (var (mark, key) in Marks(user))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!File.Exists(folder.PathOf(key)))
                    Forget(mark);
            }

            if (!Directory.EnumerateFileSystemEntries(user).Any())
                DeleteEmpty(user);
        }
    }

    /// <summary>Without moving its deadline.</summary>
    private IndexedSession? Look(SessionKey key)
    {
        using var contents = new SessionFile(folder.PathOf(key)).Read();
        return folder.Current(contents) is { } record ? new IndexedSession(key, record, contents!.IdleDeadline) : null;
    }

    /// <summary>A young mark may be that of a session whose commit is under way. An old one is not made again: a session that is gone does not come back.</summary>
    private void Forget(string mark)
    {
        if (folder.Now - File.GetLastWriteTimeUtc(mark) > SessionFolder.Leftover)
            File.Delete(mark);
    }

    private static IEnumerable<(string Path, SessionKey Key)> Marks(string user)
    {
        if (!Directory.Exists(user))
            yield break;
        foreach (var path in Directory.EnumerateFiles(user))
        {
            if (SessionKey.TryParse(Path.GetFileName(path), out var key))
                yield return (path, key);
        }
    }

    private static void DeleteEmpty(string user)
    {
        try
        {
            Directory.Delete(user);
        }
        catch (IOException)
        {
            // Somebody has signed in just now.
        }
    }

    private string FolderOf(string userId) =>
        Path.Combine(folder.Path, Users, Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(userId))));
}
