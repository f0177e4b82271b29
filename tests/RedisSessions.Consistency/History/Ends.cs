namespace RedisSessions.Consistency.History;

/// <summary>When requests ended at the latest, in milliseconds: before the next one that began after it was sent.</summary>
internal sealed class Ends
{
    private readonly long[] _began;
    private readonly long[] _at;

    /// <summary>The ends in a history.</summary>
    public Ends(RunHistory history)
    {
        Observation[] inOrder = [.. history.Observations.OrderBy(observation => observation.Began)];
        _began = [.. inOrder.Select(observation => observation.Began)];
        _at = [.. inOrder.Select(observation => observation.At)];
        // Clocks of browsers that send at once may differ a little; the earliest of all that follow is meant.
        for (var i = _at.Length - 2; i >= 0; i--)
            _at[i] = Math.Min(_at[i], _at[i + 1]);
    }

    /// <summary>The time by which something had ended that ended at this count; never, when nothing was sent after it.</summary>
    public long Latest(long ended)
    {
        var next = Array.BinarySearch(_began, ended + 1);
        if (next < 0)
            next = ~next;
        return next < _at.Length ? _at[next] : int.MaxValue;
    }
}
