using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>Which top-level keys steps touch: enough to say that two requests have nothing to do with each other.</summary>
internal static class Touched
{
    /// <summary>Stands for all keys.</summary>
    public const string Everything = "*";

    /// <summary>The top-level key of a step.</summary>
    public static string TopOf(Executed executed) => TopOf(executed.Step);

    /// <summary>The top-level key of a step; everything, when it concerns the whole session.</summary>
    public static string TopOf(Step step) => step.Path is { } path ? Top(path) : Everything;

    /// <summary>The top-level key of a path.</summary>
    public static string Top(string path) => path.Split('.', 2)[0];

    /// <summary>Whether two paths can concern the same value.</summary>
    public static bool AreRelated(string first, string second)
    {
        var (shorter, longer) = first.Length <= second.Length ? (first, second) : (second, first);
        return longer.StartsWith(shorter, StringComparison.Ordinal) && (longer.Length == shorter.Length || longer[shorter.Length] == '.');
    }

    /// <summary>
    /// The keys on which it depends whether a transaction goes through: what it read, and where its changes may make no sense.
    /// </summary>
    public static IReadOnlySet<string> Sensitive(IEnumerable<Executed> steps) =>
        steps.Where(executed => !IsBlind(executed.Step.Op) || !executed.Succeeded()).Select(TopOf).ToHashSet(StringComparer.Ordinal);

    /// <summary>Whether an operation goes through whatever is there.</summary>
    private static bool IsBlind(Op op) =>
        op is Op.Set or Op.Flash or Op.LiteralSet or Op.Remove or Op.LiteralRemove or Op.Clear or Op.Keep or Op.Reflash
        or Op.SetIdleTimeout or Op.SetAbsoluteTimeout or Op.SetPersistent or Op.Rotate or Op.Login or Op.Destroy
        or Op.Wait or Op.CancelledCommit or Op.Update or Op.CancelledUpdate;

    /// <summary>Whether two sets of keys have one in common.</summary>
    public static bool Meet(IReadOnlySet<string> first, IReadOnlySet<string> second) =>
        first.Count > 0 && second.Count > 0 && (first.Contains(Everything) || second.Contains(Everything) || first.Overlaps(second));
}
