namespace RedisSessions.Redis.Tests.Linearizability;

/// <summary>
/// Whether a history could have been made by one register and one operation at a time: is there an order of all operations that explains every
/// answer, and in which none comes before one that had ended when it began? The search of Wing and Gong, with Lowe's memory of what has been tried:
/// a set of operations that are done, and the register after them.
/// </summary>
internal static class LinearizabilityChecker
{
    /// <summary>More cannot be told apart in the bits of one number.</summary>
    public const int MostOperations = 64;

    public static bool IsLinearizable(IReadOnlyList<Operation> history, long initial)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(history.Count, MostOperations);
        return Search(history, 0, initial, []);
    }

    private static bool Search(IReadOnlyList<Operation> history, ulong done, long state, HashSet<(ulong Done, long State)> tried)
    {
        // The next one must have begun before the first of the others ended.
        var firstReturn = long.MaxValue;
        for (var i = 0; i < history.Count; i++)
        {
            if (!IsDone(done, i))
                firstReturn = Math.Min(firstReturn, history[i].Returned);
        }

        if (firstReturn == long.MaxValue)
            return true;
        for (var i = 0; i < history.Count; i++)
        {
            if (IsDone(done, i) || history[i].Invoked > firstReturn || history[i].Apply(state) is not { } next)
                continue;
            var with = done | (1UL << i);
            if (tried.Add((with, next)) && Search(history, with, next, tried))
                return true;
        }

        return false;
    }

    private static bool IsDone(ulong done, int operation) => (done >> operation & 1) != 0;
}
