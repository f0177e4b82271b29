using System.Text;

namespace RedisSessions.FileStore;

/// <summary>
/// Leases in files, <c>{key}.lease</c>: the owner's name inside, the modification time is when it ends. Looked at and changed under the session's lock, and never
/// flushed: after a power cut nobody holds one. No messages: file systems have none that can be relied on.
/// </summary>
internal sealed class FileSessionLeases(SessionFolder folder)
{
    public const string Suffix = ".lease";

    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        RunAsync("acquire", key, lease, static (folder, file, lease) =>
        {
            var now = folder.Now;
            using (var contents = file.Read())
            {
                if (contents is not null && contents.IdleDeadline > now && !IsOwner(contents, lease))
                    return (TimeSpan?)(contents.IdleDeadline - now);
            }

            file.Replace(Encoding.UTF8.GetBytes(lease.Owner), now + lease.Duration, flushToDisk: false);
            return null;
        }, cancellationToken);

    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        RunAsync("renew", key, lease, static (folder, file, lease) =>
        {
            var now = folder.Now;
            using var contents = file.Read();
            if (contents is null || contents.IdleDeadline <= now || !IsOwner(contents, lease))
                return false;
            contents.Slide(now + lease.Duration);
            return true;
        }, cancellationToken);

    public async ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        await RunAsync("release", key, lease, static (_, file, lease) =>
        {
            using (var contents = file.Read())
            {
                if (contents is null || !IsOwner(contents, lease))
                    return false;
            }

            return file.Delete();
        }, cancellationToken).ConfigureAwait(false);

    private ValueTask<TResult> RunAsync<TResult>(
        string verb, SessionKey key, SessionLease lease, Func<SessionFolder, SessionFile, SessionLease, TResult> run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return folder.RunAsync(verb, (Folder: folder, key, lease, run, cancellationToken), static async state =>
        {
            using var locked = await state.Folder.LockAsync(state.key, state.cancellationToken).ConfigureAwait(false);
            return state.run(state.Folder, new SessionFile(state.Folder.PathOf(state.key) + Suffix), state.lease);
        });
    }

    private static bool IsOwner(SessionFile.Contents contents, SessionLease lease) => contents.Bytes.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(lease.Owner));
}
