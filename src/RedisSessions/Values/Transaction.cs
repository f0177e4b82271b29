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
    private bool _viewIsShared;
    private IReadOnlyList<SessionPath>? _flashed;

    /// <summary>A point to come back to, when a part of the request runs again.</summary>
    public readonly record struct Savepoint(int Changes, int Reads, bool FlashHasAged);

    public ChangeLog Changes { get; } = new();

    /// <summary>True once this request has committed: what it flashed before has aged already.</summary>
    public bool FlashHasAged { get; private set; }

    /// <summary>The values that this request started from, or the newer ones that its changes were moved onto.</summary>
    public SessionTree Snapshot => _snapshot;

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
        // What is read is the literal key, if there is one; a write to the path of the same spelling has not put it there.
        if (Changes.Count > 0 && View.HasLiteral(path))
            path = SessionPath.Literal(path.Text);
        // What this request has moved to another place of its list was elsewhere in the snapshot; which element it was, only the whole list says.
        if (Changes.Count > 0 && Changes.Renumbered(path) is { } list && View.TryGet(list, out var around) && around.Kind == SessionValueKind.List)
            (path, presenceOnly) = (list, false);
        // A flashed value is shown and goes: that a parallel request has shown it too invalidates no decision.
        if (!Changes.Decides(path) && !IsFlashed(path))
            _reads.Add(path, presenceOnly);
    }

    /// <summary>The view, for somebody who keeps it: what is written from now on is written to a copy.</summary>
    public SessionTree ShareView()
    {
        _viewIsShared = true;
        return View;
    }

    /// <returns>False, and nothing has changed, when the change makes no sense on what is there.</returns>
    public bool TryWrite(Change change)
    {
        if (_view is null || _viewIsShared)
            Show(View.Fork());
        try
        {
            if (!change.TryApply(_view!))
                return false;
        }
        catch
        {
            // It met an entry that is damaged, and may have done half of what it is.
            UndoTo(Save());
            throw;
        }

        Changes.Append(change);
        return true;
    }

    /// <summary>The first commit of a request ages the flash data it saw, also when nothing else has changed.</summary>
    public void AgeFlash()
    {
        if (FlashHasAged)
            return;
        if (FlashBag.Aging(View) is { } aging)
            TryWrite(aging);
        FlashHasAged = true;
    }

    /// <summary>For a log: what this request and another have done at a path. Before anything is moved or undone.</summary>
    public (string Mine, string Theirs) ContestAt(SessionPath path, SessionTree newer) =>
        (Contest.Mine(path, _reads, Changes), Contest.Theirs(path, _snapshot, newer));

    /// <summary>Moves the changes onto a newer snapshot.</summary>
    /// <returns>Null, or the path that stands against it; then nothing has changed.</returns>
    public SessionPath? RebaseOn(SessionTree newer, bool whateverWasRead) =>
        // Bookkeeping alone, such as the ageing of flash data, rests on no read and refuses no request.
        RebaseOn(newer, whateverWasRead || !Changes.IsIntended ? ReadSet.None : _reads);

    public Savepoint Save() => new(Changes.Count, _reads.Count, FlashHasAged);

    /// <summary>Undoes what came after a savepoint and moves what came before it onto a newer snapshot.</summary>
    /// <returns>Null, or the path that stands against it.</returns>
    public SessionPath? Rewind(Savepoint savepoint, SessionTree newer, bool whateverWasRead)
    {
        CutTo(savepoint);
        // Also when nothing had been changed before: the run to come rests on what was read then.
        return RebaseOn(newer, whateverWasRead ? ReadSet.None : _reads);
    }

    /// <summary>Undoes what came after a savepoint.</summary>
    public void UndoTo(Savepoint savepoint)
    {
        CutTo(savepoint);
        Show(null);
        if (Changes.Count == 0)
            return;
        Show(_snapshot.Fork());
        Changes.Replay(_view!);
    }

    /// <summary>The values are stored: a new transaction begins on them.</summary>
    public void Commit(SessionTree values) => Begin(values);

    /// <summary>The session has ended: a transaction on nothing.</summary>
    public void Empty() => Begin(SessionTree.Empty());

    /// <summary>Forgets the changes.</summary>
    public void Rollback()
    {
        Begin(_snapshot);
        FlashHasAged = false;
    }

    private SessionPath? RebaseOn(SessionTree newer, ReadSet reads)
    {
        var result = Rebase.Apply(_snapshot, reads, Changes, newer);
        if (result.Tree is null)
            return result.Path;
        _snapshot = newer;
        _flashed = null;
        Show(result.Tree);
        return null;
    }

    private bool IsFlashed(SessionPath path)
    {
        _flashed ??= FlashBag.Keys(_snapshot);
        for (var i = 0; i < _flashed.Count; i++)
        {
            if (_flashed[i].Covers(path))
                return true;
        }

        return false;
    }

    private void Show(SessionTree? view) => (_view, _viewIsShared) = (view, false);

    private void CutTo(Savepoint savepoint)
    {
        Changes.CutTo(savepoint.Changes);
        _reads.CutTo(savepoint.Reads);
        FlashHasAged = savepoint.FlashHasAged;
    }

    private void Begin(SessionTree tree)
    {
        _snapshot = tree;
        _flashed = null;
        Show(null);
        Changes.Clear();
        _reads.Clear();
    }
}
