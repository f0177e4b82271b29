using RedisSessions.Consistency.Reference;

namespace RedisSessions.Consistency.History;

/// <summary>What a search for an order has found.</summary>
internal enum Outcome
{
    /// <summary>An order in which every answer is right.</summary>
    Found,

    /// <summary>There is none.</summary>
    None,

    /// <summary>Given up.</summary>
    Undecided,
}

/// <summary>
/// Looks for an order of a session's transactions that is consistent with real time and gives their answers: depth first, and no set of
/// placed transactions
/// is tried twice with the same state.
/// </summary>
internal sealed class Search
{
    /// <summary>The most commits that one roll-back takes away.</summary>
    private const int DeepestRollback = 8;

    private readonly IReadOnlyList<Transaction> _transactions;
    private readonly Replay _replay;
    private readonly Precedence _precedence;
    private readonly bool[] _isPlaced;
    private readonly int[] _waitsFor;
    private readonly ulong[] _names;
    private readonly List<Transaction> _order = [];
    private readonly Stack<int> _placedIndexes = [];
    private readonly List<Place> _history = [];
    private readonly HashSet<(ulong, ulong)> _tried = [];
    private readonly bool _rollsBack;
    private ulong _placed;
    private int _missing;
    private int _budget;

    /// <summary>A search through these transactions.</summary>
    public Search(IReadOnlyList<Transaction> transactions, Replay replay, Precedence precedence, int budget)
    {
        (_transactions, _replay, _precedence, _budget) = (transactions, replay, precedence, budget);
        _isPlaced = new bool[transactions.Count];
        _waitsFor = precedence.Counts();
        _names = [.. Enumerable.Range(1, transactions.Count).Select(number => Tree.Mix(0xA5A5, (ulong)number))];
        _missing = Enumerable.Range(0, transactions.Count).Count(i => !transactions[i].IsOptional || precedence.IsSeen(i));
        _rollsBack = transactions.Any(transaction => transaction.Kind == Kind.Rollback);
    }

    /// <summary>The longest order that was found.</summary>
    public IReadOnlyList<Transaction> Longest { get; private set; } = [];

    /// <summary>Which transactions could have come next after it, and why they cannot.</summary>
    public IReadOnlyList<string> Obstacles { get; private set; } = [];

    /// <summary>Searches from the state before the first transaction.</summary>
    public Outcome Run(Place start)
    {
        _history.Add(start);
        return Continue(start) ? Outcome.Found : _budget > 0 ? Outcome.None : Outcome.Undecided;
    }

    private bool Continue(Place place)
    {
        var reads = PlaceReads(place);
        if (_missing == 0)
        {
            Longest = [.. _order];
            return true;
        }
        if (_budget > 0 && _tried.Add((_placed, _rollsBack ? Past(place) : place.Hash())))
        {
            var obstacles = new List<string>();
            foreach (var i in Ready())
            {
                if (Try(i, place, obstacles))
                    return true;
            }
            if (_order.Count > Longest.Count || Obstacles.Count == 0)
                (Longest, Obstacles) = ([.. _order], obstacles);
        }
        for (; reads > 0; reads--)
            Undo();
        return false;
    }

    /// <summary>A read that fits and shows nothing new is placed at once: it stands in nobody's way.</summary>
    private int PlaceReads(Place place)
    {
        var count = 0;
        for (var found = true; found;)
        {
            found = false;
            for (var i = 0; i < _transactions.Count; i++)
            {
                if (_isPlaced[i] || _waitsFor[i] > 0 || _transactions[i].Kind != Kind.Read || _budget-- <= 0
                    || !ReferenceEquals(_replay.Next(_transactions[i], place)?.Values, place.Values))
                    continue;
                Do(i);
                count++;
                found = true;
            }
        }
        return count;
    }

    private bool Try(int i, Place place, List<string> obstacles)
    {
        var transaction = _transactions[i];
        if (transaction.Kind == Kind.Rollback)
            return TryRollback(i);
        _budget--;
        if (_replay.Next(transaction, place) is not { } next)
        {
            obstacles.Add($"{transaction.Request}: {_replay.Mismatch}");
            return false;
        }
        Do(i);
        _history.Add(next);
        if (Continue(next))
            return true;
        _history.RemoveAt(_history.Count - 1);
        Undo();
        return false;
    }

    private bool TryRollback(int i)
    {
        Do(i);
        var lost = new List<Place>();
        for (var depth = 0; depth <= DeepestRollback && _history.Count > 0; depth++)
        {
            if (Continue(_history[^1]))
                return true;
            lost.Add(_history[^1]);
            _history.RemoveAt(_history.Count - 1);
        }
        lost.Reverse();
        _history.AddRange(lost);
        Undo();
        return false;
    }

    private IEnumerable<int> Ready() =>
        from i in Enumerable.Range(0, _transactions.Count)
        where !_isPlaced[i] && _waitsFor[i] == 0
        orderby _transactions[i].IsOptional, _transactions[i].Ended, i
        select i;

    private ulong Past(Place place) => _history.Aggregate(place.Hash(), (hash, past) => Tree.Mix(hash, past.Hash()));

    private void Do(int i)
    {
        _isPlaced[i] = true;
        _placed ^= _names[i];
        _order.Add(_transactions[i]);
        _placedIndexes.Push(i);
        if (!_transactions[i].IsOptional || _precedence.IsSeen(i))
            _missing--;
        foreach (var later in _precedence.After(i))
            _waitsFor[later]--;
    }

    private void Undo()
    {
        var i = _placedIndexes.Pop();
        _isPlaced[i] = false;
        _placed ^= _names[i];
        _order.RemoveAt(_order.Count - 1);
        if (!_transactions[i].IsOptional || _precedence.IsSeen(i))
            _missing++;
        foreach (var later in _precedence.After(i))
            _waitsFor[later]++;
    }
}
