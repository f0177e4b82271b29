using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>
/// Redis has reached <c>maxmemory</c>. <c>docs/operations.md</c> says that it goes on reading, sliding and ending sessions.
/// </summary>
internal static class FullLogout
{
    public const string Code = "ending-refused-when-full";

    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken)
    {
        await using var stage = await Stage.TryStartAsync("memory", 1, seed, cancellationToken);
        if (stage is not { Environment: RedisEnvironment environment })
            return null;
        var browsers = Enumerable.Range(0, new Random(seed).Next(2, 6)).Select(_ => stage.Recorder.NewBrowser()).ToArray();
        foreach (var browser in browsers)
            await stage.SendAsync(browser, 0, "begin", new Step(Op.Set) { Path = "n", Value = "1" });
        await FullMemory.FillAsync(environment.Redis, cancellationToken);
        stage.Recorder.Note("outage: maxmemory is reached");
        var answers = new List<Sent>();
        foreach (var browser in browsers)
        {
            answers.Add(await stage.SendAsync(browser, 0, "read", new Step(Op.Get) { Path = "n" }));
            answers.Add(await stage.SendAsync(browser, 0, "logout", new Step(Op.Destroy)));
        }

        var found = stage.Judge();
        var refused = answers.Where(sent => sent.Status != 200)
            .Select(sent => new Finding(Code, [sent.Request.Id], $"Redis is full, and the answer is {sent.Status}: {sent.Body}"));
        return found with { Findings = [.. found.Findings, .. refused] };
    }
}
