using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Known;

/// <summary>What in a request opens a known hole. Scenarios that are to show nothing leave such requests out.</summary>
internal static class Triggers
{
    /// <summary>A decision on flashed values.</summary>
    public static bool UsesFlash(Request request) => Does(request, Op.Flash, Op.Keep, Op.Reflash);

    /// <summary>A place in a list, or in a map that looks like one.</summary>
    public static bool UsesNumbers(Request request) => All(request).Any(IsNumbered);

    /// <summary>Plain code that reads, updates, and writes what it has decided by the read.</summary>
    public static bool CarriesReads(Request request)
    {
        var steps = request.Steps;
        var update = steps.Index().FirstOrDefault(place => place.Item.Op is Op.Update or Op.CancelledUpdate, (-1, null!)).Index;
        return update >= 0 && steps.Take(update).SelectMany(Steps.All).Any(Reads)
            && steps.Skip(update + 1).Any(step => step.Writes() || step.Op is Op.IfHas or Op.IfEquals);
    }

    /// <summary>An update that changes a list and reads it by number.</summary>
    public static bool FillsAndReadsNumbers(Request request) => request.Steps.Any(step => step.Op == Op.Update
        && (step.Then ?? []).SelectMany(Steps.All).Any(Fills)
        && (step.Then ?? []).SelectMany(Steps.All).Any(inside => Reads(inside) && IsNumbered(inside)));

    /// <summary>A commit in the middle of a request.</summary>
    public static bool GoesOnAfterCommit(Request request) => request.Steps.SkipLast(1).Any(step => step.Op is Op.Update or Op.Commit);

    /// <summary>A request that opens no hole, and goes on after no commit: for sessions that end or move meanwhile.</summary>
    public static bool IsHarmlessBesideAnEnd(Request request) => IsHarmless(request) && !GoesOnAfterCommit(request);

    /// <summary>A write that may be refused, and the request goes on.</summary>
    public static bool CatchesRefusals(Request request) => Does(request, Op.Try);

    /// <summary>A list that becomes something else: then an element that somebody pushes is refused.</summary>
    public static bool ReplacesLists(Request request) => All(request).Any(step => step is { Op: Op.Set, Path: "l" or "r" or "o.l" });

    /// <summary>A look at everything.</summary>
    public static bool LooksAtAll(Request request) => Does(request, Op.All, Op.LiteralKeys, Op.GetLifetimes);

    public static bool UsesLiterals(Request request) => Does(request, Op.LiteralGet, Op.LiteralSet, Op.LiteralRemove, Op.LiteralKeys);

    /// <summary>A new id, a lifetime or an end inside an update.</summary>
    public static bool ActsOnTheWholeInUpdate(Request request) => Updates(request).Any(step => step.ActsOnTheWhole());

    /// <summary>A new id or an end in plain code, beside a read or an update.</summary>
    public static bool ReadsAndActsOnTheWhole(Request request) =>
        All(request).Any(step => step.ActsOnTheWhole()) && All(request).Any(step => step.Op is Op.Update || Reads(step));

    public static bool EndsInUpdate(Request request) => Updates(request).Any(step => step.Op == Op.Destroy);

    /// <summary>An end that is given up.</summary>
    public static bool EndsAndGivesUp(Request request) =>
        Does(request, Op.Destroy) && Does(request, Op.Discard, Op.CancelledCommit, Op.CancelledUpdate, Op.Throw);

    public static bool IsCancelled(Request request) => Does(request, Op.CancelledCommit, Op.CancelledUpdate);

    /// <summary>A write inside an update that may have no effect.</summary>
    public static bool RemovesInUpdate(Request request) =>
        Updates(request).Any(step => step.Op is Op.Remove or Op.Pull or Op.Clear or Op.LiteralRemove);

    public static bool WaitsInUpdate(Request request) => Updates(request).Any(step => step.Op == Op.Wait);

    public static bool Rotates(Request request) => Does(request, Op.Rotate);

    public static bool LogsIn(Request request) => Does(request, Op.Login);

    public static bool LogsOut(Request request) => Does(request, Op.Destroy);

    /// <summary>Nothing of a single request that opens a known hole.</summary>
    public static bool IsHarmless(Request request) => !(UsesFlash(request) || UsesNumbers(request) || CatchesRefusals(request)
        || ReplacesLists(request) || LooksAtAll(request) || CarriesReads(request)
        || UsesLiterals(request) || ActsOnTheWholeInUpdate(request) || ReadsAndActsOnTheWhole(request)
        || EndsAndGivesUp(request) || IsCancelled(request));

    private static bool Fills(Step step) => step.Op is Op.Push or Op.Prepend or Op.Remove or Op.Pull && step.Path != Generator.Order;

    private static bool IsNumbered(Step step) => step.Path?.Split('.').Any(part => part is [>= '0' and <= '9', ..]) == true;

    private static bool Reads(Step step) =>
        step.Op is Op.Get or Op.Has or Op.Pull or Op.IfHas or Op.IfEquals or Op.LiteralGet or Op.All or Op.LiteralKeys or Op.GetLifetimes;

    private static bool Does(Request request, params Op[] ops) => All(request).Any(step => ops.Contains(step.Op));

    private static IEnumerable<Step> All(Request request) => request.Steps.SelectMany(Steps.All);

    private static IEnumerable<Step> Updates(Request request) =>
        All(request).Where(step => step.Op is Op.Update or Op.CancelledUpdate).SelectMany(step => step.Then ?? []).SelectMany(Steps.All);
}
