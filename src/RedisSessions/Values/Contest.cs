namespace RedisSessions.Values;

/// <summary>
/// Two requests and one path, in words for a log: what this request did there, as it has recorded it, and what another did, as far as the two records show it.
/// Never a value.
/// </summary>
internal static class Contest
{
    private const int MostChanges = 8;

    /// <summary>What this request did at a path, for example "read, then incremented".</summary>
    public static string Mine(SessionPath path, ReadSet reads, ChangeLog changes)
    {
        var verbs = changes.Intended.Where(change => change.Path.Covers(path) || path.Covers(change.Path) || change is ClearChange).Select(static change => change.Verb).Distinct();
        return string.Join(", then ", new[] { reads.How(path) }.OfType<string>().Concat(verbs).DefaultIfEmpty("used"));
    }

    /// <summary>What became of a path between two records: added, changed, removed or left alone. Which call did it is not in a record.</summary>
    public static string Theirs(SessionPath path, SessionTree snapshot, SessionTree newer) =>
        (snapshot.TryGet(path, out _), newer.TryGet(path, out _)) switch
        {
            (false, true) => "added",
            (true, false) => "removed",
            (true, true) when !snapshot.SameAt(path, newer) => "changed",
            _ => "left alone",
        };

    /// <summary>All that this request has changed, with what another has done there, for example "incremented 'n' (changed), set 'a.b' (left alone)".</summary>
    public static string All(ChangeLog changes, SessionTree snapshot, SessionTree newer)
    {
        var intended = changes.Intended.ToList();
        var told = intended.Take(MostChanges).Select(change =>
            change is ClearChange ? "cleared all" : $"{change.Verb} '{change.Path.Text}' ({Theirs(change.Path, snapshot, newer)})");
        return intended.Count == 0 ? "nothing but bookkeeping"
            : string.Join(", ", told) + (intended.Count > MostChanges ? $" and {intended.Count - MostChanges} more" : "");
    }
}
