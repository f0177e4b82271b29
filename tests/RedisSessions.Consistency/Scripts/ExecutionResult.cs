namespace RedisSessions.Consistency.Scripts;

/// <summary>What an endpoint has done with its session.</summary>
/// <param name="Segments">The transactions that have ended, in order.</param>
/// <param name="Open">The steps since; the caller commits them and adds the last segment with <see cref="Close"/>.</param>
/// <param name="Failure">
/// What ended the request early: the caller does not commit then (<see cref="Open"/> is empty), and an endpoint rethrows it so that the
/// middleware answers.
/// </param>
internal sealed record ExecutionResult(IReadOnlyList<Segment> Segments, IReadOnlyList<Executed> Open, Exception? Failure = null)
{
    /// <summary>
    /// All segments, with the last one closed by what the final commit threw; null when it was stored or had nothing to store.
    /// </summary>
    public IReadOnlyList<Segment> Close(Exception? thrown = null)
    {
        var (fate, detail) = thrown is null ? (Fate.Committed, null) : Fates.Of(thrown);
        return Close(fate, detail);
    }

    /// <summary>All segments, with the last one closed by the fate that a browser saw.</summary>
    public IReadOnlyList<Segment> Close(Fate fate, string? detail = null) =>
        Failure is not null ? Segments : [.. Segments, new Segment(Open, fate, detail)];
}
