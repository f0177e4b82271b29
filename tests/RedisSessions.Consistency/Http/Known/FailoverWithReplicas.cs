using System.Globalization;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>
/// Many requests have loaded their sessions when the primary dies, and commit one after another: before, while and after a replica takes
/// over. Each commit
/// waits for a replica (<c>MinReplicas</c>).
/// </summary>
internal static class FailoverWithReplicas
{
    private const int Browsers = 20, PerBrowser = 20, LongestWait = 2500;

    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken)
    {
        await using var stage = await Stage.TryStartAsync("replicas", 2, seed, cancellationToken);
        if (stage is not { Environment: ReplicasEnvironment environment })
            return null;
        var random = new Random(seed);
        var sending = new List<Task>();
        for (var i = 0; i < Browsers; i++)
        {
            var browser = stage.Recorder.NewBrowser();
            await SendAsync(browser, "begin", 0);
            sending.AddRange(Enumerable.Range(0, PerBrowser).Select(number =>
                SendAsync(browser, number.ToString(CultureInfo.InvariantCulture), random.Next(LongestWait))));
        }

        await environment.Failover().RunAsync(new FaultContext(stage.Farm, environment, random, stage.Recorder.Note, cancellationToken));
        await Task.WhenAll(sending);
        return stage.Judge();

        Task SendAsync(Browser browser, string name, int wait) => stage.SendAsync(
            browser, browser.Number % 2, name,
            new Step(Op.Wait) { Number = wait }, new Step(Op.Push) { Path = Generator.Order, Value = $"\"b{browser.Number}-{name}.1\"" });
    }
}
