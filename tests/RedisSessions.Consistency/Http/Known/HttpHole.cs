using RedisSessions.Consistency.History;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>A hole in what is promised that is known and still open, and needs real servers to be found.</summary>
/// <param name="Letter">Its letter in the list of findings (<c>docs/verification.md</c>).</param>
/// <param name="Code">The code of the finding that it makes.</param>
/// <param name="Title">What happens.</param>
/// <param name="FindAsync">Looks for it from a seed; null where this machine has not got what that needs.</param>
internal sealed record HttpHole(string Letter, string Code, string Title, Func<int, CancellationToken, Task<Found?>> FindAsync);

/// <summary>What a search has seen.</summary>
/// <param name="History">The requests.</param>
/// <param name="Findings">What they break.</param>
internal sealed record Found(RunHistory History, IReadOnlyList<Finding> Findings)
{
    /// <summary>What the judge says of a history.</summary>
    public static Found By(RunHistory history) => new(history, Judge.Check(history));
}

/// <summary>All of them. When one is closed, its test fails, and it leaves this list.</summary>
internal static class HttpHoles
{
    public static IReadOnlyList<HttpHole> All { get; } =
    [
        new("E", Codes.EndedSessionReturned, "a login beside an acknowledged logout: the session lives on", LoginAgainstLogout.FindAsync),
        new("F", Codes.Lost, "a move whose answer was lost: exchanging the stores again loses what was acknowledged", MoveBack.FindAsync),
        new("G", Codes.BrokenAnswer, "after a failover with MinReplicas: 500, the commit stored", FailoverWithReplicas.FindAsync),
        new("H", Codes.OldIdInGraceLost, "a clock 35 s ahead: an old id begins a new session within the grace", ClockAhead.FindAsync),
        new("K", FullLogout.Code, "maxmemory is reached, and a logout is refused", FullLogout.FindAsync),
        new("L", Codes.RefusedWithoutConflict, "a commit behind one that waits for the store is a conflict", QueueBehindOutage.FindAsync),
        new("M", Codes.ReadYourWrites, "near cache: a redirect reads what was there before the write", Redirects.FindAsync),
        new("T", Codes.CarriedReadNotGuarded, "what plain code read before an update is not compared at its next commit", CarriedRead.FindAsync),
    ];
}
