namespace RedisSessions.Values;

/// <summary>
/// What a request has done since it loaded or last committed: the snapshot it started from, what it read there, what it changed, and the
/// view that results. Pure values: no clock, no store.
/// </summary>
internal sealed class Transaction(SessionTree snapshot)
{
    private readonly ReadSet _reads = new();
    private SessionTree _snapshot = snapshot;
    private SessionTree? _view;

    /// <summary>A point to come back to, when a part of the request runs again.</summary>
    public readonly record struct Savepoint(int Changes, int Reads, bool FlashHasAged);

    public ChangeLog Changes { get; } = new();

    /// <summary>True once this request has committed: what it flashed before has aged already.</summary>
    public bool FlashHasAged { get; private set; }

    /// <summary>The values as this request sees them.</summary>
    public SessionTree View => _view ?? _snapshot;

    public bool Read(SessionPath path, out SessionValue value)
    {
        MarkRead(path, presenceOnly: false);
        return View.TryGet(path, out value);
    }

    public bool Has(SessionPath path)
    {
        MarkRead(path, presenceOnly: true);
        return View.TryGet(path, out _);
    }

    /// <summary>Notes that a decision rests on what was at a path, unless this request has put it there itself.</summary>
    public void MarkRead(SessionPath path, bool presenceOnly)
    {
        if (!Changes.Decides(path))
            _reads.Add(path, presenceOnly);
    }

    /// <returns>False, and nothing has changed, when the change makes no sense on what is there.</returns>
    public bool TryWrite(Change change)
    {
        _view ??= SessionTree.Open(_snapshot.ToPayload());
        if (!change.TryApply(_view))
            return false;
        Changes.Append(change);
        return true;
    }

    /// <summary>The first commit of a request ages the flash data it saw, also when nothing else has changed.</summary>
    public void AgeFlash()
    {
        if (FlashHasAged)
            return;
        FlashHasAged = true;
        if (FlashBag.Aging(View) is { } aging)
            TryWrite(aging);
    }

    /// <summary>Moves the changes onto a newer snapshot.</summary>
    /// <returns>Null, or the path that stands against it; then nothing has changed.</returns>
    public SessionPath? RebaseOn(SessionTree newer, bool whateverWasRead)
    {
        // Bookkeeping alone rests on nothing that was read, and must not fail a request that only looked.
        var reads = whateverWasRead || !Changes.IsIntended ? ReadSet.None : _reads;
        var result = Rebase.Apply(_snapshot, reads, Changes, newer.ToPayload());
        if (result.Tree is null)
            return result.Path;
        _snapshot = newer;
        _view = result.Tree;
        return null;
    }

    public Savepoint Save() => new(Changes.Count, _reads.Count, FlashHasAged);

    /// <summary>Undoes what came after a savepoint and moves what came before it onto a newer snapshot.</summary>
    public SessionPath? Rewind(Savepoint savepoint, SessionTree newer, bool whateverWasRead)
    {
        Changes.CutTo(savepoint.Changes);
        _reads.CutTo(savepoint.Reads);
        FlashHasAged = savepoint.FlashHasAged;
        return RebaseOn(newer, whateverWasRead);
    }

    /// <summary>The values are stored: a new transaction begins on them.</summary>
    public void Commit(ReadOnlyMemory<byte> payload) => Begin(SessionTree.Open(payload));

    /// <summary>The session has ended: a transaction on nothing.</summary>
    public void Empty() => Begin(SessionTree.Empty());

    /// <summary>Forgets the changes.</summary>
    public void Rollback()
    {
        Begin(_snapshot);
        FlashHasAged = false;
    }

    private void Begin(SessionTree tree)
    {
        _snapshot = tree;
        _view = null;
        Changes.Clear();
        _reads.Clear();
    }
}
