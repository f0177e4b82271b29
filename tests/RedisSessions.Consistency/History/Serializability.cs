using RedisSessions.Consistency.Reference;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>
/// Whether a session's transactions have an order; and if not, which promise it is that they break: the one without which they would have
/// one.
/// </summary>
internal sealed class Serializability(Lineage lineage, RunHistory history, IReadOnlyList<Transaction> placed,
    IReadOnlyList<Transaction> refused)
{
    /// <summary>How many replays the search for an order may take.</summary>
    private const int Budget = 150_000;

    /// <summary>How many each attempt at an explanation may take.</summary>
    private const int ExplanationBudget = 15_000;

    private readonly IReadOnlyList<IReadOnlyList<string>> _lists = [.. OrderLists.Of(lineage).Select(reading => reading.Ids)];

    /// <summary>What is broken; null when an order was found.</summary>
    public Finding? Check()
    {
        var (outcome, search) = Run(placed, Relaxation.None, Budget);
        switch (outcome)
        {
            case Outcome.Found: return null;
            case Outcome.Undecided: return Explained(Codes.Undecided, $"no order was found within {Budget} replays", search);
        }
        foreach (var (code, relaxation) in Relaxations())
        {
            if (Run(placed, relaxation, ExplanationBudget).Outcome == Outcome.Found)
                return Explained(code, "an order exists only if this is overlooked", search);
        }
        return Edited(search) ?? Explained(Codes.NotSerializable, "no order gives these answers", search);
    }

    /// <summary>From the narrowest to the widest.</summary>
    private IEnumerable<(string Code, Relaxation Relaxation)> Relaxations()
    {
        if (Uses(Op.Flash))
        {
            yield return (Codes.FlashVanished, new() { VanishingFlash = true });
            yield return (Codes.FlashNotGuarded, new() { FlashReads = true });
        }
        if (placed.Any(transaction => transaction.OnlyActs))
            yield return (Codes.UpdateActedOnStale, new() { ActingUpdates = true });
        if (Uses(Op.LiteralSet))
            yield return (Codes.LiteralMeetsPath, new() { LiteralWins = true });
        if (placed.Any(transaction => transaction.Carried.Count > 0))
            yield return (Codes.CarriedReadNotGuarded, new() { CarriedReads = true });
        yield return (Codes.StaleRead, new() { OldReads = true });
        yield return (Codes.ReadYourWrites, new() { OldReads = true, OldOwnReads = true });
        yield return (Codes.WholeReadNotGuarded, new() { WholeReads = true });
    }

    /// <summary>Tries the history without one change, with those that were refused, and with one change twice.</summary>
    private Finding? Edited(Search search)
    {
        if (refused.Count > 0 && Run([.. placed, .. refused], Relaxation.None, ExplanationBudget) is (Outcome.Found, var found))
        {
            var applied = found.Longest.First(refused.Contains);
            return new Finding(OrderLists.Code(applied), [applied.Request],
                $"an order exists only with the change of {applied.Request}, which was {applied.Fate}");
        }
        foreach (var transaction in placed.Where(transaction => transaction is { Kind: Kind.Write, IsOptional: false }))
        {
            var unstored = transaction with { Kind = Kind.Read };
            if (Run([.. placed.Select(other => other == transaction ? unstored : other)], Relaxation.None,
                ExplanationBudget).Outcome == Outcome.Found)
                return Explained(Codes.Lost, $"an order exists only without the change of {transaction.Request}, which was acknowledged",
                    search, transaction.Request);
            var again = transaction with { IsLater = true, IsOptional = true, Carried = [] };
            if (CanRepeat(transaction) && Run([.. placed, again], Relaxation.None, ExplanationBudget).Outcome == Outcome.Found)
                return Explained(Codes.Twice, $"an order exists only with the change of {transaction.Request} applied twice", search,
                    transaction.Request);
        }
        return null;
    }

    /// <summary>Whether applying a change a second time makes a difference at once.</summary>
    private static bool CanRepeat(Transaction transaction) =>
        transaction.Steps.Any(executed => executed.Step.Op is Op.Increment or Op.Push or Op.Prepend && executed.Succeeded());

    private (Outcome Outcome, Search Search) Run(IReadOnlyList<Transaction> transactions, Relaxation relaxation, int budget)
    {
        var search = new Search(
            transactions, new Replay(lineage, history.Rules, relaxation), new Precedence(transactions, history, relaxation, _lists),
                budget);
        return (search.Run(new Place(ModelState.Empty, Start(transactions), HasEnded: false)), search);
    }

    /// <summary>The session begins with the id that it was first given.</summary>
    private int Start(IReadOnlyList<Transaction> transactions)
    {
        var creator = lineage.Members.FirstOrDefault(member => member.WasNew == true);
        return creator is not null && creator.NewCookie is not null ? lineage.EpochOf(creator.NewCookie)
            : transactions.Count > 0 ? transactions.MinBy(transaction => transaction.Began)!.Epoch : Lineage.Root;
    }

    private bool Uses(Op op) => lineage.Members.Any(member => member.MayHaveDone(op));

    private static Finding Explained(string code, string why, Search search, params string[] requests)
    {
        var order = string.Join(" ", search.Longest.Select(transaction => transaction.Request));
        var obstacles = search.Obstacles.Take(6).Select(obstacle => "    " + obstacle);
        string[] concerned = requests.Length > 0 ? requests : [.. search.Obstacles.Select(obstacle => obstacle.Split(':')[0]).Distinct()];
        return new Finding(code, concerned,
            $"{why}{Environment.NewLine}  longest order: {order}{Environment.NewLine}  then none of these fits:"
            + $"{Environment.NewLine}{string.Join(Environment.NewLine, obstacles)}");
    }
}
