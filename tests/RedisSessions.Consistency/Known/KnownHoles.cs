using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Simulation;

namespace RedisSessions.Consistency.Known;

/// <summary>The holes that are known and open. Letters A to N are those of an earlier checker; the others were found by this one.
/// D is closed (versions with tags); the scenario <c>failover</c> and a planted bug look for it on. G and K need real servers.</summary>
internal static class KnownHoles
{
    private static readonly string[] Orders =
        [Codes.NotSerializable, Codes.Lost, Codes.Twice, Codes.UpdateActedOnStale, Codes.ReadYourWrites];

    public static IReadOnlyList<KnownHole> All { get; } =
    [
        new("A", "A read below a place that the request's own replayed change fills differently is noted wrongly.", Of("hole-a"), Orders)
        {
            Opens = Triggers.UsesNumbers,
        },
        new("A-refused", "A write that is refused and caught is no read.", Of("hole-a-refused"), Orders)
        {
            Opens = Triggers.CatchesRefusals,
        },
        new("A-all", "A look at all values, keys or lifetimes is no read.", Of("hole-a-all"), [Codes.WholeReadNotGuarded, .. Orders])
        {
            Opens = Triggers.LooksAtAll,
        },
        new("A-literals", "A literal key and the path of its text are one.", Of("hole-a-literals"), [Codes.LiteralMeetsPath, .. Orders])
        {
            Opens = Triggers.UsesLiterals,
        },
        new("B", "Flashed values are not guarded: two requests pull one.", Of("hole-b"),
            [Codes.FlashPulledTwice, Codes.FlashNotGuarded, Codes.FlashVanished, .. Orders])
        {
            Opens = Triggers.UsesFlash,
        },
        new("C", "An update that only changes an id, a lifetime or the end is not run again.",
            Of("hole-c"), [Codes.UpdateActedOnStale, .. Orders])
        {
            Opens = Triggers.ActsOnTheWholeInUpdate,
        },
        new("E", "A logout is acknowledged while a login beside it keeps the session alive.", Of("hole-e"), Codes.EndedSessionReturned)
        {
            Opens = Triggers.LogsOut, With = Triggers.LogsIn,
        },
        new("F", "A session that was moved between stores loses what was acknowledged, or comes back after its end.", Of("hole-f"),
            [Codes.EndedSessionReturned, Codes.DeadIdLives, Codes.LiveSessionLost, Codes.OrphanCookie, .. Orders])
        {
            In = static scenario => scenario.IsMoved,
        },
        new("H", "An instance whose clock is ahead takes an old id in its grace for a dead one.",
            Of("hole-h"), Codes.OldIdInGraceLost, Codes.CookieMissing)
        {
            In = static scenario => scenario.ClockOffsets.Count > 0,
        },
        new("I", "After nine rotations within the grace the first id is dead.", Of("hole-i"), Codes.OldIdInGraceLost)
        {
            Opens = Triggers.Rotates, AtLeast = 9,
        },
        new("J", "A commit group whose member fails while joining is never stored.", Of("hole-j"), Codes.NeverAnswered)
        {
            In = static scenario => scenario.IsProtected,
        },
        new("L", "A delegate that waits while it runs again holds up the commits of others.",
            Of("hole-l"), Codes.HeldUp, Codes.RefusedWithoutConflict)
        {
            Opens = Triggers.WaitsInUpdate,
        },
        new("M", "A near cache answers a browser with what was there before its own write.",
            Of("hole-m"), [Codes.ReadYourWrites, .. Orders])
        {
            In = static scenario => scenario.Rules.Staleness > TimeSpan.Zero,
        },
        new("N", "After a commit or update that was cancelled before it was sent, each later commit fails.",
            Of("hole-n"), Codes.CancellationPoisons)
        {
            Opens = Triggers.IsCancelled,
        },
        new("O", "Under LastWriteWins a removal that had no effect inside an update is replayed by the next commit.", Of("hole-o"), Orders)
        {
            Opens = Triggers.RemovesInUpdate, In = static scenario => scenario.Rules.LastWriteWins,
        },
        new("P", "An update whose delegate ends the session and then throws ends it all the same.", Of("hole-p"),
            [
                Codes.LiveSessionLost, Codes.EndedWithoutEnd, Codes.CookieMissing, Codes.AppliedThoughAbandoned, Codes.OldIdInGraceLost,
                Codes.OrphanCookie, .. Orders,
            ])
        {
            Opens = Triggers.EndsInUpdate,
        },
        new("R", "A request that ends the session, gives that up and writes again overwrites all values.",
            Of("hole-r"), [Codes.Lost, .. Orders])
        {
            Opens = Triggers.EndsAndGivesUp,
        },
        new("Q", "What plain code has read is compared with nothing if it then only changes the id or ends the session.",
            Of("hole-q"), Orders)
        {
            Opens = Triggers.ReadsAndActsOnTheWhole,
        },
        new("T", "What plain code has read before an update is not compared at its next commit.", Of("hole-t"), [Codes.CarriedReadNotGuarded, .. Orders])
        {
            Opens = Triggers.CarriesReads,
        },
        new("U", "A login whose answer is lost leaves its browser with an id that is dead, though the session lives.",
            Of("hole-u"), Codes.OrphanCookie)
        {
            Opens = Triggers.LogsIn,
            In = static scenario => scenario.Faults.LoseAnswer > 0,
        },
        new("V", "A request whose commit found itself stored in a session that has ended since reads an empty session.",
            Of("hole-v"), Orders)
        {
            Opens = static request => Triggers.LogsOut(request) || Triggers.LogsIn(request),
            With = Triggers.GoesOnAfterCommit,
            In = static scenario => scenario.Faults.LoseAnswer > 0,
        },
        new("S", "A late repeat of a commit brings back an id that was rotated away, once its forward is gone.", Of("hole-s"),
            Codes.DeadIdLives, Codes.EndedSessionReturned, Codes.LiveSessionLost, Codes.NotSerializable, Codes.Lost)
        {
            Opens = Triggers.Rotates,
            In = static scenario => scenario.Faults is { LongestDelay: > 30_000 } and ({ Repeat: > 0 } or { VerySlow: > 0 }),
        },
    ];

    /// <summary>The hole that explains a finding.</summary>
    public static KnownHole? Of(RunResult run, Finding finding) => All.FirstOrDefault(hole => hole.Explains(run, finding));

    /// <summary>Whether a finding is known.</summary>
    public static bool Excuse(RunResult run, Finding finding) => Of(run, finding) is not null;

    private static Scenario Of(string scenario) => Scenarios.Find(scenario)!;
}
