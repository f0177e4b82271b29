using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>
/// The list of commits, to which a share of the transactions pushes its id: what is missing in it, what is there twice, and what should not
/// be there can be
/// said without a search.
/// </summary>
internal static class OrderLists
{
    /// <summary>A list as somebody read it.</summary>
    /// <param name="Reader">Who.</param>
    /// <param name="Ids">The ids in it.</param>
    internal sealed record Reading(Observation Reader, IReadOnlyList<string> Ids);

    /// <summary>All readings of the list.</summary>
    public static IReadOnlyList<Reading> Of(Lineage lineage) =>
        [.. from member in lineage.Members
            from segment in member.Segments
            where segment.Fate == Fate.Committed
            from executed in segment.Steps
            let ids = Ids(executed)
            where ids is not null
            select new Reading(member, ids)];

    /// <summary>What the readings show.</summary>
    public static IEnumerable<Finding> Check(
        Lineage lineage, IReadOnlyList<Reading> readings, IReadOnlyList<Transaction> placed, IReadOnlyList<Transaction> refused,
            Rules rules)
    {
        placed = [.. placed.Where(transaction => transaction.Kind != Kind.Read)];
        var stored = placed.SelectMany(transaction => transaction.OrderIds).ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (reader, ids) in readings)
        {
            foreach (var twice in ids.GroupBy(id => id).Where(group => group.Count() > 1 && seen.Add("2" + group.Key)))
                yield return new Finding(Codes.Twice, [reader.Request.Id],
                    $"{reader.Request.Id} reads {twice.Key} {twice.Count()} times in the list of commits");
            foreach (var transaction in refused)
            {
                foreach (var id in transaction.OrderIds.Where(id => ids.Contains(id) && !stored.Contains(id) && seen.Add("r" + id)))
                    yield return new Finding(Code(transaction), [transaction.Request, reader.Request.Id],
                        $"{id} was {transaction.Fate} and {reader.Request.Id} reads it in the list of commits");
            }
        }
        var wipes = lineage.Members.Any(member => member.MayHaveDone(Op.Clear) || member.MayHaveDone(Op.Destroy));
        if (wipes || rules.MayLoseAcknowledged || rules.Staleness > TimeSpan.Zero || readings.Count == 0)
            yield break;
        var last = readings.MaxBy(reading => reading.Reader.Began)!;
        foreach (var transaction in placed.Where(transaction => !transaction.IsOptional && transaction.Ended < last.Reader.Began))
        {
            foreach (var id in transaction.OrderIds.Where(id => !last.Ids.Contains(id)))
                yield return new Finding(Codes.Lost, [transaction.Request, last.Reader.Request.Id],
                    $"{id} was acknowledged, and {last.Reader.Request.Id}, which began later, does not read it in the list of commits");
        }
    }

    /// <summary>The code for a change that is stored though it was answered as not stored.</summary>
    public static string Code(Transaction transaction) =>
        transaction.Fate == Fate.Abandoned ? Codes.AppliedThoughAbandoned : Codes.AppliedThoughRefused;

    private static string[]? Ids(Executed executed)
    {
        if (executed.Answer is null || !executed.Succeeded())
            return null;
        var value = executed.Step switch
        {
            { Op: Op.All } => Json.Read(executed.Answer) is Dictionary<string, object?> all ? all.GetValueOrDefault(Generator.Order) : null,
            { Op: Op.Get, Path: Generator.Order } => Json.Read(executed.Answer),
            _ => null,
        };
        return value is List<object?> list ? [.. list.Select(Json.Write)] : executed.Step.Op is Op.All or Op.Get && value is null
            ? Missing(executed) : null;
    }

    private static string[]? Missing(Executed executed) => executed.Step.Op == Op.All || executed.Step.Path == Generator.Order ? [] : null;
}
