using Microsoft.Extensions.Options;
using RedisSessions.FileStore;

namespace RedisSessions;

/// <summary>
/// Records in files, for one machine with any number of processes: the handler "file", which is always there. File names are the session keys, which are
/// hashes: nothing that a client sends reaches a path.
/// </summary>
internal sealed class FileSessionHandler : ISessionHandler, IExpiredSessions, ISessionLeases, ISessionIndex
{
    private readonly SessionFolder _folder;
    private readonly FileSessionLeases _leases;
    private readonly FileUserIndex _index;
    private readonly ExpiredFiles _expired;

    // Null with files of our own.
    private readonly PhpSessionFiles? _php;

    public FileSessionHandler(IOptions<FileHandlerOptions> options, IOptions<RedisSessionsOptions> sessions, TimeProvider time)
    {
        _folder = new SessionFolder(options.Value, time);
        _leases = new FileSessionLeases(_folder);
        _index = new FileUserIndex(_folder);
        _expired = new ExpiredFiles(_folder, _index);
        IdFormat = PhpRecordFormat.IdsOf(options.Value.Layout);
        if (options.Value.PhpFormatInUse is { } format)
            _php = new PhpSessionFiles(_folder, options.Value, new PhpRecordFormat(format, sessions.Value.AbsoluteTimeout), time);
    }

    /// <inheritdoc/>
    public SessionIdFormat IdFormat { get; }

    /// <inheritdoc/>
    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        if (_php is not null)
            return _php.ReadAsync(key, idleTimeout, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        return _folder.RunAsync("read", (Folder: _folder, key, idleTimeout), static state =>
        {
            using var contents = new SessionFile(state.Folder.PathOf(state.key)).Read();
            if (state.Folder.Current(contents) is not { } record)
                return default;
            // Once in a tenth of the idle time is enough: a session that is used slides, and a page with twenty requests writes nothing.
            var now = state.Folder.Now;
            var until = now + record.Lifetime(now, state.idleTimeout);
            if (record.State == SessionState.Live && until - contents!.IdleDeadline > (record.IdleTimeout ?? state.idleTimeout) / 10)
                contents.Slide(until);
            return new ValueTask<SessionRecord?>(record);
        });
    }

    /// <inheritdoc/>
    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (_php is not null)
            return _php.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
        return _folder.RunAsync("commit", (Handler: this, key, expected, record, idleTimeout, cancellationToken), static async state =>
        {
            var (folder, record) = (state.Handler._folder, state.record);
            using var locked = await folder.LockAsync(state.key, state.cancellationToken).ConfigureAwait(false);
            var file = new SessionFile(folder.PathOf(state.key));
            using (var contents = file.Read())
            {
                var current = folder.Current(contents);
                if (state.expected == SessionVersion.None ? current is not null : current is not null && current.Version != state.expected)
                    return new CommitResult.Conflict(current!);
                if (state.expected != SessionVersion.None && current is null)
                    return (CommitResult)CommitResult.Gone.Instance;
            }

            // First the index: what it has too much is noticed, and what it lacks is not.
            if (record is { IndexUser: true, UserId: { } user })
                state.Handler._index.Add(user, state.key);
            var now = folder.Now;
            file.Replace(RecordFormat.Write(record), now + record.Lifetime(now, state.idleTimeout), folder.FlushToDisk);
            return CommitResult.Committed.Instance;
        });
    }

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        _php is not null ? _php.DeleteAsync(key, cancellationToken) : _folder.RunAsync("delete", (Folder: _folder, key, cancellationToken), static async state =>
        {
            state.cancellationToken.ThrowIfCancellationRequested();
            var file = new SessionFile(state.Folder.PathOf(state.key));
            if (!file.Exists)
                return false;
            using var locked = await state.Folder.LockAsync(state.key, state.cancellationToken).ConfigureAwait(false);
            return file.Delete();
        });

    /// <inheritdoc/>
    public ValueTask<int> CollectAsync(CancellationToken cancellationToken) =>
        // PHP's are collected by PHP, which knows how long they are to live there.
        _php is not null ? new(0) : _folder.RunAsync("collect", (Expired: _expired, cancellationToken), static state => state.Expired.CollectAsync(state.cancellationToken));

    /// <inheritdoc/>
    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        _php is null ? _leases.TryAcquireAsync(key, lease, cancellationToken) : throw new InvalidOperationException(
            "SessionAccess.Exclusive cannot be had with PHP's session files (Sessions:File:Layout): the lock that PHP takes is on the file, and a commit needs it. Use another access, or UpdateAsync.");

    /// <inheritdoc/>
    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => _leases.RenewAsync(key, lease, cancellationToken);

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => _leases.ReleaseAsync(key, lease, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken) => _php is null
        ? _index.FindAsync(userId, cancellationToken)
        : throw new InvalidOperationException("The sessions of a user cannot be found where PHP's records are stored (Sessions:File:Layout): there is no index that PHP would keep.");
}
