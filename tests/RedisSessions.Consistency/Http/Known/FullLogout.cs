using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>Redis has reached <c>maxmemory</c>. <c>docs/operations.md</c> says that it goes on reading, sliding and ending sessions.</summary>
internal static class FullLogout
{
    public const string Code = "ending-refused-when-full";

    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken)
    {
        var plan = EnvironmentCatalog.Find("memory")!;
        if (await plan.StartAsync(plan, 1, cancellationToken) is not RedisEnvironment environment)
            return null;
        await using (environment)
        {
            await using var farm = await Farm.StartAsync(environment, 1, cancellationToken);
            var recorder = new Recorder();
            // In one order or the other: a session that reads still, and one that ends.
            string[] names = new Random(seed).Next(2) == 0 ? ["first", "second"] : ["second", "first"];
            var browsers = names.Select(_ => recorder.NewBrowser()).ToArray();
            foreach (var browser in browsers)
                await SendAsync(browser, "begin", new Step(Op.Set) { Path = "n", Value = "1" });
            await FullMemory.FillAsync(environment.Redis, cancellationToken);
            var read = await SendAsync(browsers[0], "read", new Step(Op.Get) { Path = "n" });
            var logout = await SendAsync(browsers[1], "logout", new Step(Op.Destroy));
            var history = recorder.History(plan, seed, farm);
            List<Finding> findings = [.. Judge.Check(history)];
            foreach (var sent in (Sent[])[read, logout])
            {
                if (sent.Status != 200)
                    findings.Add(new Finding(Code, [sent.Request.Id], $"Redis is full, and the answer is {sent.Status}: {sent.Body}"));
            }

            return new Found(history, findings);

            async Task<Sent> SendAsync(Browser browser, string what, Step step)
            {
                var sent = await browser.SendAsync(farm.Processes[0], new Request($"b{browser.Number}-{what}", [step]), cancellationToken);
                recorder.Keep(sent);
                return sent;
            }
        }
    }
}
