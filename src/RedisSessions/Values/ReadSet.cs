namespace RedisSessions.Values;

/// <summary>The paths that a request's decisions rest on: those it has read and not written itself before.</summary>
internal sealed class ReadSet
{
    // In order of reading; the flag says that only presence was asked for, so a changed value does not matter.
    private List<(SessionPath Path, bool PresenceOnly)>? _reads;
    private HashSet<(SessionPath, bool)>? _known;

    public static ReadSet None { get; } = new();

    public int Count => _reads?.Count ?? 0;

    public void Add(SessionPath path, bool presenceOnly)
    {
        _reads ??= new(1);
        // A handful of reads needs no index; a loop over thousands of keys does.
        var known = _known?.Contains((path, presenceOnly)) ?? _reads.Contains((path, presenceOnly));
        if (known)
            return;
        _reads.Add((path, presenceOnly));
        if (_known is not null)
            _known.Add((path, presenceOnly));
        else if (_reads.Count == 16)
            _known = [.. _reads];
    }

    /// <summary>The first path at which two trees differ, as far as it was read; null when none does.</summary>
    public SessionPath? FirstDifference(SessionTree snapshot, SessionTree newer)
    {
        if (_reads is null)
            return null;
        foreach (var (path, presenceOnly) in _reads)
        {
            var same = presenceOnly
                ? snapshot.TryGet(path, out _) == newer.TryGet(path, out _)
                : snapshot.SameAt(path, newer);
            if (!same)
                return path;
        }

        return null;
    }

    /// <summary>How a path was read: "read", "looked for", or null when it was not.</summary>
    public string? How(SessionPath path)
    {
        var reads = _reads?.FindAll(read => read.Path == path);
        return reads is not { Count: > 0 } ? null : reads.TrueForAll(static read => read.PresenceOnly) ? "looked for" : "read";
    }

    public void CutTo(int count)
    {
        _reads?.RemoveRange(count, _reads.Count - count);
        _known = null;
    }

    public void Clear() => CutTo(0);
}
