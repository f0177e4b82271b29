namespace RedisSessions.Values;

/// <summary>One recorded write. Replaying it on any other tree has the effect that running it there would have had.</summary>
internal abstract record Change(SessionPath Path)
{
    /// <summary>Applies the change.</summary>
    /// <returns>False, and nothing has changed, when it makes no sense on what is there: an increment of a string.</returns>
    public abstract bool TryApply(SessionTree tree);

    /// <summary>Whether the value at a path no longer depends on what was there before this change.</summary>
    public virtual bool Decides(SessionPath path) => Path.Covers(path);

    /// <summary>Whether the value at a path may be another one after this change.</summary>
    public virtual bool Touches(SessionPath path) => Path.Covers(path) || path.Covers(Path);

    /// <summary>The list, if it is one, around a path, where elements have other numbers since this change: what is read at the path was elsewhere in the snapshot.</summary>
    public virtual SessionPath? Renumbers(SessionPath path) => null;

    /// <summary>Whether the request asked for this; bookkeeping alone is no reason to refuse a request.</summary>
    public virtual bool IsIntended => true;

    /// <summary>What it did to the path, for a log: "set", "removed".</summary>
    public abstract string Verb { get; }

    /// <summary>Whether it changed anything where the request made it. Without any effect there is nothing to commit; with others it is replayed all the same.</summary>
    public bool HasEffect { get; init; } = true;
}

internal sealed record SetChange(SessionPath Path, SessionValue Value) : Change(Path)
{
    public override string Verb => "set";

    public override bool TryApply(SessionTree tree)
    {
        tree.Set(Path, Value);
        return true;
    }
}

internal sealed record RemoveChange(SessionPath Path) : Change(Path)
{
    public override string Verb => "removed";

    public override bool TryApply(SessionTree tree)
    {
        tree.Remove(Path);
        return true;
    }

    public override bool Touches(SessionPath path) => base.Touches(path) || Renumbers(path) is not null;

    public override SessionPath? Renumbers(SessionPath path) =>
        Path.TryGetListAround(out var list) && list != path && list.Covers(path) ? list : null;
}

/// <summary>Something that the engine keeps in the session, and no request asked for.</summary>
internal sealed record NoteChange(SessionPath Path, SessionValue Value) : Change(Path)
{
    public override string Verb => "noted";

    public override bool IsIntended => false;

    public override bool TryApply(SessionTree tree)
    {
        tree.Set(Path, Value);
        return true;
    }
}

internal sealed record ClearChange() : Change(SessionPath.Parse("*"))
{
    public override string Verb => "cleared";

    public override bool TryApply(SessionTree tree)
    {
        tree.ClearAllBut(ReservedKeys.Root);
        return true;
    }

    public override bool Decides(SessionPath path) => true;

    public override bool Touches(SessionPath path) => true;
}

internal sealed record IncrementChange(SessionPath Path, long By) : Change(Path)
{
    public override string Verb => "incremented";

    public override bool TryApply(SessionTree tree) => tree.TryIncrement(Path, By, out _);

    public override bool Decides(SessionPath path) => false;
}

internal sealed record AddChange(SessionPath Path, SessionValue Value, bool First) : Change(Path)
{
    public override string Verb => First ? "prepended to" : "pushed to";

    public override bool TryApply(SessionTree tree) => tree.TryAdd(Path, Value, First);

    public override SessionPath? Renumbers(SessionPath path) => First && Path != path && Path.Covers(path) ? Path : null;

    public override bool Decides(SessionPath path) => false;
}

internal sealed record FlashChange(SessionPath Path, SessionValue Value, bool Aged) : Change(Path)
{
    public override string Verb => "flashed";

    public override bool TryApply(SessionTree tree)
    {
        tree.Set(Path, Value);
        FlashBag.Mark(tree, Path.Text, Aged);
        return true;
    }
}

/// <summary>Keeps flashed values for one more request: the named ones, or all.</summary>
internal sealed record KeepChange(IReadOnlyList<string>? Keys, bool Aged) : Change(FlashBag.Root)
{
    public override string Verb => "kept";

    public override bool TryApply(SessionTree tree)
    {
        FlashBag.Keep(tree, Keys, Aged);
        return true;
    }

    public override bool Decides(SessionPath path) => false;
}

/// <summary>The flash values that this request saw grow older: new becomes old, old goes.</summary>
internal sealed record AgeFlashChange(IReadOnlyList<KeyValuePair<string, SessionValue>> Expired, IReadOnlyList<string> Shown) : Change(FlashBag.Root)
{
    public override string Verb => "aged";

    public override bool IsIntended => false;

    public override bool TryApply(SessionTree tree)
    {
        FlashBag.Age(tree, this);
        return true;
    }

    public override bool Decides(SessionPath path) => false;

    public override bool Touches(SessionPath path) => true;
}

/// <summary>The changes of one request, in order.</summary>
internal sealed class ChangeLog
{
    private static readonly List<Change> None = [];
    private List<Change>? _made;

    public int Count => Made.Count;

    public bool IsIntended => Made.Exists(static change => change.IsIntended);

    public bool HasEffect => Made.Exists(static change => change.HasEffect);

    /// <summary>The changes that somebody asked for, in order.</summary>
    public IEnumerable<Change> Intended => Made.Where(static change => change.IsIntended);

    public void Append(Change change) => (_made ??= new(1)).Add(change);

    /// <summary>Whether the value at a path is this request's own doing, so that reading it says nothing about the snapshot.</summary>
    public bool Decides(SessionPath path)
    {
        foreach (var change in Made)
        {
            if (change.Decides(path))
                return true;
        }

        return false;
    }

    /// <summary>The outermost place around a path where, if it is a list, elements have other numbers than in the snapshot.</summary>
    public SessionPath? Renumbered(SessionPath path)
    {
        SessionPath? outermost = null;
        foreach (var change in Made)
        {
            if (change.Renumbers(path) is { } list && (outermost is null || list.Covers(outermost.Value)))
                outermost = list;
        }

        return outermost;
    }

    /// <summary>Whether the value at a path may be another one than in the snapshot.</summary>
    public bool Touches(SessionPath path)
    {
        foreach (var change in Made)
        {
            if (change.Touches(path))
                return true;
        }

        return false;
    }

    /// <summary>Replays the changes.</summary>
    /// <returns>Null, or the path of the change that cannot be applied.</returns>
    public SessionPath? Replay(SessionTree tree)
    {
        foreach (var change in Made)
        {
            if (!change.TryApply(tree))
                return change.Path;
        }

        return null;
    }

    /// <summary>Forgets what came after the first <paramref name="count"/> changes.</summary>
    public void CutTo(int count) => _made?.RemoveRange(count, _made.Count - count);

    public void Clear() => _made?.Clear();

    // Most requests change nothing.
    private List<Change> Made => _made ?? None;
}
