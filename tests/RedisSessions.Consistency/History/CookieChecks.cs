using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>What each id leads to, and which cookies browsers are told: logins, rotations, logouts and the end of sessions.</summary>
internal sealed class CookieChecks(Lineage lineage, RunHistory history)
{
    // Between the sending of a request and its rotation.
    private static readonly TimeSpan LongestRotation = TimeSpan.FromSeconds(20);

    private readonly Ends _ends = new(history);
    private readonly Lifetimes _lifetimes = new(lineage, history);
    private readonly bool _mayGoBack = history.Rules.MayLoseAcknowledged
        && history.Events.Any(happened => happened.What.StartsWith("rollback", StringComparison.Ordinal));

    /// <summary>All that is broken.</summary>
    public IEnumerable<Finding> Check() =>
        lineage.Members.Where(member => member.WasNew == false).SelectMany(member => Live(member).Concat(AfterGrace(member))).Concat(lineage.Members.SelectMany(Told));

    /// <summary>A request whose cookie led to no session, though it was one of this session.</summary>
    public Finding? Dead(Observation request)
    {
        var cookie = request.Cookie!.Value;
        var issuer = lineage.Members.Where(member => member.NewCookie == cookie).MinBy(member => member.Began);
        if (issuer is null || issuer.Ended > request.Began || _mayGoBack || MayBeDead(request) || _lifetimes.MayHaveEnded(request))
            return null;
        var rotation = Rotation(request);
        if (rotation is not null && !_lifetimes.IsInGrace(request, rotation))
            return null;
        var wasUsed = lineage.Members.Any(member => member.Cookie == cookie && member.WasNew == false && member != issuer);
        var code = rotation is not null ? Codes.OldIdInGraceLost : wasUsed ? Codes.LiveSessionLost : Codes.OrphanCookie;
        var also = request.NewCookie is { } issued ? $", and it was told a new one, {issued}" : "";
        return new Finding(code, [issuer.Request.Id, request.Request.Id],
            $"{request.Request.Id} came with cookie {cookie}, which {issuer.Request.Id} was told, and found no session{also}");
    }

    private IEnumerable<Finding> Live(Observation request)
    {
        if (_mayGoBack)
            yield break;
        foreach (
            var logout in lineage.Members.Where(member => member != request && member.WasNew is not null && member.DidForSure(Op.Destroy)))
        {
            if (logout.Ended < request.Began)
                yield return new Finding(Codes.EndedSessionReturned, [logout.Request.Id, request.Request.Id],
                    $"the logout of {logout.Request.Id} was acknowledged before {request.Request.Id} began, which still had the session");
        }
        foreach (
            var login in lineage.Members.Where(member => member is { WasNew: false, NewCookie: not null } && member.DidForSure(Op.Login)))
        {
            var former = lineage.EpochOf(login.Cookie);
            if (login.Ended < request.Began && lineage.EpochOf(request.Cookie) == former && former != lineage.EpochOf(login.NewCookie))
                yield return new Finding(Codes.DeadIdLives, [login.Request.Id, request.Request.Id],
                    $"cookie {request.Cookie} is dead since the login of {login.Request.Id}, "
                    + $"and {request.Request.Id} had the session by it");
        }
    }

    /// <summary>A request by an id that was rotated away so long ago that it leads nowhere any more.</summary>
    private IEnumerable<Finding> AfterGrace(Observation request) => lineage.Members
        .Where(rotation => rotation != request && rotation.WasNew == false && rotation.Cookie == request.Cookie && rotation.Ended < request.Began
            && rotation.NewCookie is { } issued && issued != rotation.Cookie && rotation.DidForSure(Op.Rotate)
            && request.At - rotation.At > (history.Rules.RotationGrace + LongestRotation).TotalMilliseconds)
        .Take(1)
        .Select(rotation => new Finding(Codes.DeadIdLives, [rotation.Request.Id, request.Request.Id],
            $"cookie {request.Cookie} was rotated away by {rotation.Request.Id}, its grace is over, and {request.Request.Id} had a session by it"));

    /// <summary>What a browser is told has to follow from what was stored.</summary>
    private IEnumerable<Finding> Told(Observation request)
    {
        var isRefused = request.Segments.Any(segment => segment.Fate != Fate.Committed && segment.Fate != Fate.Abandoned);
        var stored = request.Segments.Where(Facts.IsStored).ToList();
        // Nobody is told an id that is dead by then.
        var ends = request.MayHaveDone(Op.Destroy) || lineage.Members.Any(other => other != request && other.Ended > request.Began
            && other.Began < request.Ended && (other.MayHaveDone(Op.Destroy) || other.MayHaveDone(Op.Login)));
        var hasStored = stored.Any(segment => segment.Steps.Any(executed => executed.Succeeded()
            && executed.Step.Op is Op.Set or Op.Push or Op.Prepend or Op.Increment or Op.Flash or Op.LiteralSet));
        var moves = request.WasNew == false && (request.DidForSure(Op.Rotate) || request.DidForSure(Op.Login));
        // Two rotations at once are one: the browser is told the new id by the other answer.
        var isTold = !request.DidForSure(Op.Login) && Rotation(request) is not null;
        if (((request.WasNew == true && hasStored) || (moves && !isTold)) && !ends && !isRefused
            && request is { NewCookie: null, Ended: < long.MaxValue })
            yield return new Finding(Codes.CookieMissing, [request.Request.Id],
                "what it stored is under an id that its browser was not told");
        if (request.NewCookie is not { } issued || issued == request.Cookie)
            yield break;
        if (request.WasNew == false ? !moves : !stored.Any(Facts.Writes))
            yield return new Finding(Codes.UnaskedCookie, [request.Request.Id],
                $"its browser was told cookie {issued}, though it neither began a session nor moved one");
    }

    /// <summary>Whether a logout, or a login with an older id, may have come before.</summary>
    private bool MayBeDead(Observation request) => lineage.Members.Any(member => member != request && member.Began < request.Ended
        && (member.MayHaveDone(Op.Destroy)
            || (member.MayHaveDone(Op.Login) && member.WasNew != true
                && lineage.EpochOf(member.NewCookie) != lineage.EpochOf(request.Cookie))));

    /// <summary>The first rotation that may have taken a request's id away.</summary>
    private Observation? Rotation(Observation request) => lineage.Members
        .Where(member => member != request && member.WasNew != true && member.Began < request.Ended && member.MayHaveDone(Op.Rotate)
            && (member.NewCookie is null || member.NewCookie > request.Cookie)
                && lineage.EpochOf(member.Cookie) == lineage.EpochOf(request.Cookie))
        .MinBy(member => member.Began);
}
