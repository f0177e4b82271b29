using System.Globalization;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>
/// Many requests have loaded their sessions when the primary dies, and commit one after another: before, while and after a replica takes over. Each commit
/// waits for a replica (<c>MinReplicas</c>).
/// </summary>
internal static class FailoverWithReplicas
{
    private const int Browsers = 20, PerBrowser = 20, LongestWait = 2500;

    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken)
    {
        var plan = EnvironmentCatalog.Find("replicas")!;
        if (await plan.StartAsync(plan, 2, cancellationToken) is not ReplicasEnvironment environment)
            return null;
        await using (environment)
        {
            await using var farm = await Farm.StartAsync(environment, 2, cancellationToken);
            var (recorder, random) = (new Recorder(), new Random(seed));
            var sending = new List<Task>();
            for (var i = 0; i < Browsers; i++)
            {
                var browser = recorder.NewBrowser();
                await SendAsync(browser, "begin", 0);
                sending.AddRange(Enumerable.Range(0, PerBrowser).Select(number =>
                    SendAsync(browser, number.ToString(CultureInfo.InvariantCulture), random.Next(LongestWait))));
            }

            await environment.Failover().RunAsync(new FaultContext(farm, environment, random, recorder.Note, cancellationToken));
            await Task.WhenAll(sending);
            return Found.By(recorder.History(plan, seed, farm));

            async Task SendAsync(Browser browser, string name, int wait)
            {
                var id = $"b{browser.Number}-{name}";
                Step[] steps = [new(Op.Wait) { Number = wait }, new(Op.Push) { Path = Generator.Order, Value = $"\"{id}\"" }];
                recorder.Keep(await browser.SendAsync(farm.Processes[browser.Number % 2], new Request(id, steps), cancellationToken));
            }
        }
    }
}
