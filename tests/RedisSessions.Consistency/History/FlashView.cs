using System.Text.Json;
using RedisSessions.Consistency.Reference;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>
/// When flashed values go. The first commit of a request removes those that it saw, and a request that only reads has such a commit too,
/// some time before it
/// ends. So a flashed value is there for certain, gone for certain, or either, depending on which requests ran beside and between.
/// </summary>
internal sealed class FlashView
{
    private readonly IReadOnlyList<Observation> _members;
    private readonly bool[] _ages;
    private readonly bool[] _agesForSure;
    private readonly bool _isExact;
    private readonly bool _vanishes;

    /// <summary>The view of a session's requests.</summary>
    public FlashView(Lineage lineage, Rules rules, bool vanishes)
    {
        _members = lineage.Members;
        _ages = [.. _members.Select(member => member.Request.Access is SessionAccess.Optimistic or SessionAccess.Exclusive
            && (member.IsUnobserved() || member.Segments.Any(segment => segment.IsStored() || segment.IsUncertain())))];
        _agesForSure = [.. _members.Select((member, i) => _ages[i] && member.Segments.Any(Facts.IsStored) && !MayHaveLostItsId(member))];
        _isExact = rules is { MayLoseAcknowledged: false } && rules.Staleness == TimeSpan.Zero;
        _vanishes = vanishes;
    }

    /// <summary>Whether a flashed value may be gone for a request; <paramref name="isLater"/>: after a commit of its own.</summary>
    public bool MayBeGone(string path, FlashMark mark, object? value, int reader, bool isLater)
    {
        if (mark.IsUncertain || _vanishes || (isLater && mark.By != reader && _ages[reader]))
            return true;
        for (var other = 0; other < _members.Count; other++)
        {
            if (other != mark.By && other != reader && _ages[other] && _members[other].Ended >= _members[mark.By].Began
                && _members[other].Began <= _members[reader].Ended && !SawAnother(other, path, value))
                return true;
        }
        return false;
    }

    /// <summary>Whether a flashed value is gone for a request, for certain: another one saw it and ended, all in between.</summary>
    public bool IsGone(FlashMark mark, int reader)
    {
        if (mark.IsUncertain || !_isExact)
            return false;
        for (var other = 0; other < _members.Count; other++)
        {
            if (other != mark.By && other != reader && _agesForSure[other] && _members[other].Began > _members[mark.By].Ended
                && _members[other].Ended < _members[reader].Began)
                return true;
        }
        return false;
    }

    /// <summary>Whether the request's own first commit removes a flashed value: it was there for certain when the request began.</summary>
    public bool Removes(int member, FlashMark mark) =>
        _agesForSure[member] && mark.By != member && !mark.IsUncertain && _isExact && _members[mark.By].Ended < _members[member].Began;

    /// <summary>
    /// Whether the session may have ended or moved to another id before the request committed: then its bookkeeping is not stored.
    /// </summary>
    private bool MayHaveLostItsId(Observation member) => _members.Any(other => other != member && other.Began < member.Ended
        && other.Ended > member.Began && (other.MayHaveDone(Op.Login) || other.MayHaveDone(Op.Destroy)));

    /// <summary>
    /// Whether a request read something else at the path than this value before it committed: then it had loaded before, and does not
    /// remove it.
    /// </summary>
    private bool SawAnother(int member, string path, object? value)
    {
        foreach (var executed in UpToFirstCommit(_members[member]))
        {
            if (executed.Step.Writes() && executed.Step.Op != Op.Pull && (executed.Step.Path is not { } at || Touched.AreRelated(at, path)))
                return false;
            var expected = Json.Write(value);
            switch (executed.Step.Op)
            {
                case Op.Get or Op.Pull when executed.Step.Path == path: return executed.Answer != expected;
                case Op.Has or Op.IfHas when executed.Step.Path == path: return executed.Answer == "false";
                case Op.All: return Part(executed.Answer!, path) != expected;
            }
        }
        return false;
    }

    private static IEnumerable<Executed> UpToFirstCommit(Observation member)
    {
        foreach (var segment in member.Segments)
        {
            foreach (var executed in segment.Steps)
                yield return executed;
            if (segment.IsStored() && !segment.WithNext)
                yield break;
        }
    }

    private static string? Part(string all, string path)
    {
        using var document = JsonDocument.Parse(all);
        var element = document.RootElement;
        foreach (var segment in path.Split('.'))
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(segment, out element))
                return null;
        }
        return Json.Canonical(element.GetRawText());
    }
}
