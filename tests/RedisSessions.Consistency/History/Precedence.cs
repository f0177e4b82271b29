namespace RedisSessions.Consistency.History;

/// <summary>
/// Which transactions come before which, whatever the values are: those of one request in turn, those of requests that had ended before
/// another began, and
/// those whose order a list of commits shows.
/// </summary>
internal sealed class Precedence
{
    private readonly List<int>[] _after;
    private readonly int[] _counts;
    private readonly bool[] _isSeen;

    /// <summary>The precedence among transactions.</summary>
    /// <param name="transactions">All of a session.</param>
    /// <param name="history">Where they come from.</param>
    /// <param name="relaxation">What is overlooked.</param>
    /// <param name="lists">Lists of commits that somebody read.</param>
    public Precedence(
        IReadOnlyList<Transaction> transactions, RunHistory history, Relaxation relaxation, IReadOnlyList<IReadOnlyList<string>> lists)
    {
        _after = [.. transactions.Select(_ => new List<int>())];
        _counts = new int[transactions.Count];
        _isSeen = new bool[transactions.Count];
        var ends = new Ends(history);
        // What the last request of all does not read is missing, and not only late.
        var last = transactions
            .Where(transaction => transaction.Kind != Kind.Rollback).MaxBy(transaction => transaction.Began)?.Member ?? -1;
        for (var first = 0; first < transactions.Count; first++)
        {
            for (var second = 0; second < transactions.Count; second++)
            {
                if (first != second && Precedes(
                    transactions[first], transactions[second], first < second, ends, history.Rules,
                    transactions[second].Member == last ? Relaxation.None : relaxation))
                    Add(first, second);
            }
        }
        AddLists(transactions, lists);
    }

    /// <summary>What comes after a transaction.</summary>
    public IReadOnlyList<int> After(int transaction) => _after[transaction];

    /// <summary>Whether somebody saw a transaction's change: it is stored, whatever it was answered.</summary>
    public bool IsSeen(int transaction) => _isSeen[transaction];

    /// <summary>How many come before each transaction.</summary>
    public int[] Counts() => [.. _counts];

    private static bool Precedes(Transaction first, Transaction second, bool isInTurn, Ends ends, Rules rules, Relaxation relaxation)
    {
        if (first.Member == second.Member && first.Member >= 0)
            return isInTurn;
        if (first.IsOptional || first.Ended >= second.Began)
            return false;
        if (second.Kind != Kind.Read || second.IsLater)
            return true;
        var isOwn = first.Browser == second.Browser && first.Browser >= 0;
        if (isOwn)
            return !relaxation.OldOwnReads || first.Kind == Kind.Read;
        if (relaxation.OldReads || relaxation.OldOwnReads)
            return false;
        return rules.Staleness == TimeSpan.Zero || ends.Latest(first.Ended) + rules.Staleness.TotalMilliseconds < second.At;
    }

    private void AddLists(IReadOnlyList<Transaction> transactions, IReadOnlyList<IReadOnlyList<string>> lists)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < transactions.Count; i++)
        {
            foreach (var id in transactions[i].Kind == Kind.Write ? transactions[i].OrderIds : [])
                places[id] = i;
        }
        foreach (var list in lists)
        {
            int[] seen = [.. list.Where(places.ContainsKey).Select(id => places[id])];
            foreach (var i in seen)
                _isSeen[i] = true;
            for (var i = 1; i < seen.Length; i++)
            {
                if (seen[i - 1] != seen[i])
                    Add(seen[i - 1], seen[i]);
            }
        }
    }

    private void Add(int first, int second)
    {
        _after[first].Add(second);
        _counts[second]++;
    }
}
