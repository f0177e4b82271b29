using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Tests.Support;

/// <summary>Short words for histories that are made by hand. The first visit is <c>v</c>; it begins session 1 and ends at 1.</summary>
internal static class Histories
{
    /// <summary>A history of one session in which nothing fails.</summary>
    public static RunHistory Of(params Observation[] observations) => new("by hand", 0, observations, [], new Rules());

    /// <summary>The first visit, which stores these steps.</summary>
    public static Observation Visit(params Executed[] steps) =>
        Request("v", 0, 1, Plain(steps)) with { Cookie = null, WasNew = true, Answer = CookieAnswer.Issued, NewCookie = 1 };

    /// <summary>A request with cookie 1, of a browser of its own. Its request is what it executed.</summary>
    public static Observation Request(string id, long began, long ended, params Segment[] segments) => new(
        new Request(id, [.. segments.SelectMany(Script)]), id[0], 0, 1, began, ended, false, segments) { At = began * 10 };

    /// <summary>The last request, which reads everything.</summary>
    public static Observation Last(string all) => Request("z", 900, 901, Plain(All(all)));

    public static Observation With(this Observation observation, int? cookie, int? issued = null) => observation with
    {
        Cookie = cookie,
        NewCookie = issued,
        Answer = issued is null ? CookieAnswer.None : CookieAnswer.Issued,
    };

    public static Observation New(this Observation observation) => observation with { WasNew = true };

    public static Observation By(this Observation observation, int browser) => observation with { Browser = browser };

    public static Observation At(this Observation observation, long at) => observation with { At = at };

    public static Segment Plain(params Executed[] steps) => new(steps, Fate.Committed);

    public static Segment Update(params Executed[] steps) => new(steps, Fate.Committed) { IsUpdate = true, Runs = 1 };

    public static Segment As(this Segment segment, Fate fate, string? detail = null) => segment with { Fate = fate, Detail = detail };

    public static Executed Get(string path, string answer) => new(new Step(Op.Get) { Path = path }, answer);

    public static Executed Has(string path, bool answer) => new(new Step(Op.Has) { Path = path }, answer ? "true" : "false");

    public static Executed All(string answer) => new(new Step(Op.All), answer);

    public static Executed Set(string path, string value) => new(new Step(Op.Set) { Path = path, Value = value }, null);

    public static Executed Remove(string path, bool answer) => new(new Step(Op.Remove) { Path = path }, answer ? "true" : "false");

    public static Executed Increment(string path, long sum) => new(new Step(Op.Increment) { Path = path, Number = 1 }, $"{sum}");

    public static Executed Push(string path, string value) => new(new Step(Op.Push) { Path = path, Value = value }, null);

    public static Executed Pull(string path, string answer) => new(new Step(Op.Pull) { Path = path }, answer);

    public static Executed Flash(string path, string value) => new(new Step(Op.Flash) { Path = path, Value = value }, null);

    public static Executed Does(Op op, string? path = null, string? answer = null, string? value = null, long number = 0) =>
        new(new Step(op) { Path = path, Value = value, Number = number }, answer);

    /// <summary>The codes that the judge finds, once each.</summary>
    public static IReadOnlyList<string> CodesOf(RunHistory history) => [.. Judge.Check(history).Select(finding => finding.Code).Distinct()];

    /// <summary>A history breaks one promise and no other; its neighbour breaks none.</summary>
    public static void Breaks(string code, RunHistory broken, RunHistory right)
    {
        var findings = Judge.Check(broken);
        Assert.True(findings.Count > 0, $"{code} is not found");
        Assert.True(findings.All(finding => finding.Code == code), $"expected {code}: {string.Join(Environment.NewLine, findings)}");
        Assert.True(
            findings.All(finding => finding.Requests.Count > 0
            && Report.Of(finding, broken).Contains(finding.Requests[0], StringComparison.Ordinal)));
        Assert.Equal([], Judge.Check(right).Select(finding => finding.ToString()));
    }

    private static IEnumerable<Step> Script(Segment segment)
    {
        var steps = segment.Steps.Select(executed => executed.Step);
        return segment.IsUpdate ? [new Step(Op.Update) { Then = [.. steps] }] : steps.Append(new Step(Op.Commit));
    }
}
