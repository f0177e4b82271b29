using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>
/// When a session may have ended by itself. It asks for the shortest of all timeouts that were ever set, since it is not known which was
/// stored.
/// </summary>
internal sealed class Lifetimes(Lineage lineage, RunHistory history)
{
    /// <summary>Some handlers move the idle deadline only when a tenth of it has passed; twice that is left for travelling.</summary>
    private const double SureShare = 0.8;

    private readonly Ends _ends = new(history);
    private readonly double _idle = Shortest(lineage, Op.SetIdleTimeout, history.Rules.IdleTimeout) * SureShare;
    private readonly double _absolute = Shortest(lineage, Op.SetAbsoluteTimeout, history.Rules.AbsoluteTimeout) * SureShare;

    /// <summary>Whether the session may have ended before a request loaded it.</summary>
    public bool MayHaveEnded(Observation request)
    {
        var arrived = Arrived(request);
        var last = lineage.Members.Where(member => member != request && member.Ended < request.Began).Select(member => member.At)
            .DefaultIfEmpty(request.At).Max();
        return arrived - last >= _idle || arrived - lineage.Members.Min(member => member.At) >= _absolute;
    }

    /// <summary>Whether a request certainly arrived within the grace time of a rotation.</summary>
    public bool IsInGrace(Observation request, Observation rotation) =>
        Arrived(request) - rotation.At < history.Rules.RotationGrace.TotalMilliseconds * SureShare;

    /// <summary>The latest time at which a request can have loaded its session.</summary>
    private long Arrived(Observation request) =>
        Math.Max(request.At, _ends.Latest(request.Ended) is var end && end < int.MaxValue ? end : request.At);

    private static double Shortest(Lineage lineage, Op op, TimeSpan configured) => lineage.Members
        .SelectMany(member => member.Request.Steps.SelectMany(Steps.All))
        .Where(step => step.Op == op).Select(step => step.Number * 1000.0).Append(configured.TotalMilliseconds).Min();
}
