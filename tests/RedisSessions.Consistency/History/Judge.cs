namespace RedisSessions.Consistency.History;

/// <summary>Judges a history by what is promised: see docs/consistency.md.</summary>
internal static class Judge
{
    /// <summary>What the history breaks; nothing when all is as promised. A search that was given up is a finding too.</summary>
    public static IReadOnlyList<Finding> Check(RunHistory history)
    {
        var lineages = Lineage.Of(history);
        return [.. FateChecks.Any(history), .. Dead(history, lineages), .. lineages.SelectMany(lineage => Check(lineage, history))];
    }

    private static List<Finding> Check(Lineage lineage, RunHistory history)
    {
        var (placed, refused) = Transactions.Of(lineage, history);
        var findings = new List<Finding>(new CookieChecks(lineage, history).Check());
        findings.AddRange(new FateChecks(lineage, history).Check());
        findings.AddRange(FlashChecks.Check(lineage, history.Rules));
        findings.AddRange(OrderLists.Check(lineage, OrderLists.Of(lineage), placed, refused, history.Rules));
        // Whoever sees a session that is dead breaks every order as well; one reason is enough.
        if (findings.TrueForAll(
            finding => finding.Code is Codes.RefusedWithoutConflict or Codes.EndedWithoutEnd or Codes.CookieMissing or Codes.UnaskedCookie)
            && new Serializability(lineage, history, placed, refused).Check() is { } broken)
            findings.Add(broken);
        return findings;
    }

    /// <summary>Requests that came with a cookie and found no session, judged by the session that the cookie was of.</summary>
    private static IEnumerable<Finding> Dead(RunHistory history, IReadOnlyList<Lineage> lineages)
    {
        foreach (var request in history.Observations.Where(observation => observation is { WasNew: true, Cookie: not null }))
        {
            var lineage = lineages.FirstOrDefault(candidate => candidate.Members.Any(member => member.NewCookie == request.Cookie));
            if (lineage is not null && new CookieChecks(lineage, history).Dead(request) is { } finding)
                yield return finding;
        }
    }
}
