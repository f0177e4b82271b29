using RedisSessions.Locking;
using RedisSessions.Values;

namespace RedisSessions;

// What the manager works with. A session does no I/O of its own and never names a handler.
public sealed partial class Session
{
    private readonly SessionManager _manager;
    private SessionId? _id;
    private bool _updating;

    internal Session(SessionManager manager, SessionId? id, SessionTree snapshot, SessionAccess access, DateTimeOffset createdAt)
    {
        _manager = manager;
        _id = id;
        Work = new Transaction(snapshot);
        Access = access;
        CreatedAt = createdAt;
    }

    internal SessionAccess Access { get; }

    internal Transaction Work { get; }

    internal SessionFate Fate { get; set; }

    internal bool ExpireCookie { get; private set; }

    /// <summary>The record that the snapshot was taken from; null when there is none.</summary>
    internal SessionRecord? Base { get; private set; }

    /// <summary>The record's name in the store. After a forward, not the key of the id that the request brought.</summary>
    internal SessionKey Key { get; private set; }

    internal SessionEnd End { get; set; }

    /// <summary>A commit was sent and its answer never came. Committing the same changes again could apply them twice.</summary>
    internal bool OutcomeUnknown { get; set; }

    internal SessionCookieAction Cookie { get; set; }

    internal SessionId SessionId => _id ??= RedisSessions.SessionId.New(_manager.IdFormat);

    /// <summary>The lease of an exclusive request; null for others, and once it was given back.</summary>
    internal ExclusiveLease? Lease { get; set; }

    /// <summary>The values come from another store and this one has nothing of them yet: storing them is work, whatever the request does.</summary>
    internal bool IsImported { get; init; }

    internal bool HasWork =>
        Work.Changes.HasEffect || Fate != SessionFate.Keep || (IsNew ? IsImported && !IsReadOnly : ChangesLifetime);

    internal void Attach(SessionRecord record, SessionKey key)
    {
        Base = record;
        Key = key;
    }

    internal void AgeFlash()
    {
        if (!IsReadOnly && Fate != SessionFate.Destroy)
            Work.AgeFlash();
    }

    /// <summary>The session is stored as this record, with these values.</summary>
    internal void Accept(SessionRecord record, SessionTree values, SessionKey key, SessionId? id)
    {
        Work.Commit(values);
        Fate = SessionFate.Keep;
        Attach(record, key);
        _id = id ?? _id;
        if (id is not null || _lifetime.SendsCookie)
            Cookie = SessionCookieAction.Issue;
        _lifetime = default;
    }

    /// <summary>The session has ended: nothing of it is left here either.</summary>
    internal void Close(SessionEnd end)
    {
        Work.Empty();
        _lifetime = default;
        Fate = SessionFate.Keep;
        End = end;
    }

    internal void Rollback()
    {
        Work.Rollback();
        _lifetime = default;
        Fate = SessionFate.Keep;
        ExpireCookie = false;
        OutcomeUnknown = false;
    }

    internal Savepoint Save() => new(Work.Save(), Fate, _lifetime);

    /// <summary>Undoes what came after a savepoint and moves what came before it onto a newer snapshot.</summary>
    internal SessionPath? Rewind(Savepoint savepoint, SessionTree newer, bool whateverWasRead)
    {
        (Fate, _lifetime) = (savepoint.Fate, savepoint.Lifetime);
        return Work.Rewind(savepoint.Work, newer, whateverWasRead);
    }

    internal readonly record struct Savepoint(Transaction.Savepoint Work, SessionFate Fate, LifetimeChange Lifetime);

    /// <summary>In a transaction what a write returns is exact, so it is a read too. Elsewhere it is a hint, and the write stays blind.</summary>
    private void MarkAnswer(SessionPath path, bool presenceOnly)
    {
        if (_updating)
            Work.MarkRead(path, presenceOnly);
    }

    private void Add<T>(string key, T value, bool first)
    {
        var path = Writable(key);
        Write(new AddChange(path, Fitting(path, value, inList: true), first));
    }

    internal void Write(Change change)
    {
        ThrowIfReadOnly();
        ThrowIfClosed();
        if (HoldsForeign && ForeignAround(change.Path) is { } foreign)
            throw new InvalidOperationException($"The session value '{foreign}' is one that only PHP can read, so nothing can be written into it: remove or replace it as a whole, or use another key.");
        if (Work.TryWrite(change))
            return;
        Work.View.TryGet(change.Path, out var there);
        throw new InvalidOperationException(change is IncrementChange
            ? $"The session value '{change.Path}' is a {there.Kind}, or the sum does not fit in 64 bits: it cannot be incremented."
            : $"The session value '{change.Path}' is a {there.Kind}: only a list takes elements.");
    }

    private static SessionPath Writable(string key)
    {
        var path = SessionPath.Parse(key);
        return ReservedKeys.Contain(path) ? throw Reserved(key) : path;
    }

    internal static ArgumentException Reserved(string key) => new(
        $"The session keys '{FlashBag.ReservedKey}' and '{ReservedKeys.Session}' are the library's own: use another one, or Flash for flash data.", nameof(key));

    /// <summary>A copy of a value, if the payload with it at this key can be read again: readers follow no more than so many levels.</summary>
    private static SessionValue Fitting<T>(SessionPath path, T value, bool inList = false)
    {
        var packed = SessionValue.From(value);
        return path.Levels + (inList ? 1 : 0) + packed.Depth <= Packed.MaxDepth
            ? packed
            : throw new ArgumentException($"The session value '{path}' would nest deeper than {Packed.MaxDepth} levels.", nameof(value));
    }

    private async ValueTask<TResult> TransactAsync<TChange, TResult>(
        TChange change, Func<Session, TChange, ValueTask<TResult>> run, CancellationToken cancellationToken)
    {
        ThrowIfUpdating();
        ThrowIfReadOnly();
        ThrowIfClosed();
        var savepoint = Save();
        TResult result = default!;
        try
        {
            await RunAsync().ConfigureAwait(false);
            await _manager.CommitAsync(this, savepoint, RunAsync, cancellationToken).ConfigureAwait(false);
            return result;
        }
        catch
        {
            UndoTo(savepoint);
            throw;
        }

        async ValueTask RunAsync()
        {
            _updating = true;
            try
            {
                result = await run(this, change).ConfigureAwait(false);
            }
            finally
            {
                _updating = false;
            }
        }
    }

    /// <summary>All or nothing: half a run must not be committed with the rest of the request. What has ended, or is to end, stays so.</summary>
    private void UndoTo(Savepoint savepoint)
    {
        if (Fate == SessionFate.Destroy || End is SessionEnd.Lost or SessionEnd.Destroyed)
            return;
        (Fate, _lifetime) = (savepoint.Fate, savepoint.Lifetime);
        Work.UndoTo(savepoint.Work);
    }

    private void ThrowIfUpdating()
    {
        if (_updating)
            throw new InvalidOperationException("UpdateAsync commits by itself: do not commit or update inside its delegate.");
    }

    internal bool IsWritable => !IsReadOnly && !IsClosed;

    private bool IsClosed => Fate == SessionFate.Destroy || End == SessionEnd.Destroyed;

    private void ThrowIfReadOnly()
    {
        if (IsReadOnly)
            throw new InvalidOperationException("This endpoint has read-only access to the session: change its SessionAccess to Optimistic to write.");
    }

    private void ThrowIfClosed()
    {
        if (IsClosed)
            throw new InvalidOperationException("This request has destroyed the session: it cannot be changed any more.");
    }
}
