namespace RedisSessions.Values;

/// <summary>
/// Replays a request's changes on a newer record. Values are never merged: what the request did is done again, on what is there now.
/// A pure function of its four arguments.
/// </summary>
internal static class Rebase
{
    /// <summary>Exactly one of the two: the tree to commit, or the path that stands against it.</summary>
    public readonly record struct Result(SessionTree? Tree, SessionPath Path);

    /// <param name="snapshot">What the request saw.</param>
    /// <param name="reads">The paths it read there.</param>
    /// <param name="changes">What it did.</param>
    /// <param name="newer">What is stored now.</param>
    public static Result Apply(SessionTree snapshot, ReadSet reads, ChangeLog changes, SessionTree newer)
    {
        if (reads.FirstDifference(snapshot, newer) is { } decidedOnStaleData)
            return new Result(null, decidedOnStaleData);
        var tree = newer.Fork();
        if (changes.Replay(tree) is { } inapplicable)
            return new Result(null, inapplicable);
        return new Result(tree, default);
    }
}
