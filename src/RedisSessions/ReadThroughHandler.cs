namespace RedisSessions;

/// <summary>
/// Moves sessions from one handler to another without logging anybody out: what the new store does not know is looked for in the old one, moves on its first
/// write, and is deleted there.
/// </summary>
/// <remarks>
/// The new store is always asked first and decides alone about what it has. A crash between the two writes of a move leaves the old record behind, in the
/// shadow of the new one, where nothing slides it. The answer of that move was never sent; every later commit deletes in the old store too, so that what is
/// in the shadow is never older than what a client was told, and switching back loses nothing.
/// </remarks>
internal partial class ReadThroughHandler : ISessionHandler, IExpiredSessions
{
    private readonly ISessionHandler _new, _old;

    private ReadThroughHandler(ISessionHandler handler, ISessionHandler old) => (_new, _old) = (handler, old);

    /// <inheritdoc/>
    public string? SystemName => _new.SystemName;

    /// <inheritdoc/>
    public SessionIdFormat IdFormat => _new.IdFormat;

    /// <inheritdoc/>
    public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        await _new.ReadAsync(key, idleTimeout, cancellationToken).ConfigureAwait(false)
        ?? await _old.ReadAsync(key, idleTimeout, cancellationToken).ConfigureAwait(false)
        // It may have moved between the two reads.
        ?? await _new.ReadAsync(key, idleTimeout, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        var result = await _new.CommitAsync(key, expected, record, idleTimeout, cancellationToken).ConfigureAwait(false);
        if (result is CommitResult.Committed && expected != SessionVersion.None)
            await LeaveNoShadowAsync(key, record.State).ConfigureAwait(false);
        return result is CommitResult.Gone ? await MoveAsync(key, expected, record, idleTimeout, cancellationToken).ConfigureAwait(false) : result;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken)
    {
        var wasOld = await _old.DeleteAsync(key, cancellationToken).ConfigureAwait(false);
        return await _new.DeleteAsync(key, CancellationToken.None).ConfigureAwait(false) || wasOld;
    }

    /// <inheritdoc/>
    public async ValueTask<int> CollectAsync(CancellationToken cancellationToken)
    {
        var collected = 0;
        foreach (var store in new[] { _new, _old }.OfType<IExpiredSessions>())
            collected += await store.CollectAsync(cancellationToken).ConfigureAwait(false);
        return collected;
    }

    private async ValueTask LeaveNoShadowAsync(SessionKey key, SessionState state)
    {
        try
        {
            await _old.DeleteAsync(key, CancellationToken.None).ConfigureAwait(false);
        }
        catch (SessionStoreException) when (state == SessionState.Live)
        {
            // What has moved goes on while the old store is away; a shadow is rare, and the next commit looks again. A session that ends has no next one.
        }
    }

    private async ValueTask<CommitResult> MoveAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var current = await _old.ReadAsync(key, idleTimeout, cancellationToken).ConfigureAwait(false);
        if (current is null)
        {
            // Gone, or moved by somebody else a moment ago: the new store knows, and it is the one to say so.
            return await _new.CommitAsync(key, expected, record, idleTimeout, cancellationToken).ConfigureAwait(false);
        }

        if (current.Version != expected)
            return new CommitResult.Conflict(current);
        if (record.State != SessionState.Live)
            await _old.DeleteAsync(key, cancellationToken).ConfigureAwait(false);
        // Of several that move it at once one creates it; the others meet that one's record as a conflict. The new store's index has not heard of it.
        var result = await _new.CommitAsync(key, SessionVersion.None, record.Indexed(), idleTimeout, CancellationToken.None).ConfigureAwait(false);
        if (result is CommitResult.Committed)
            await _old.DeleteAsync(key, CancellationToken.None).ConfigureAwait(false);
        return result;
    }
}
