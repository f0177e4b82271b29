using System.Globalization;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>
/// A browser writes on one process and is redirected to another, which has the session in its near cache. The message about the write travels as slowly as
/// everything else between that process and Redis.
/// </summary>
internal static class Redirects
{
    private const int Rounds = 30;

    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken) =>
        await RunAsync(seed, cancellationToken) is { } history ? Found.By(history) : null;

    private static async Task<RunHistory?> RunAsync(int seed, CancellationToken cancellationToken)
    {
        var plan = EnvironmentCatalog.Find("near")!;
        if (await plan.StartAsync(plan, 2, cancellationToken) is not { } environment)
            return null;
        await using (environment)
        {
            await using var farm = await Farm.StartAsync(environment, 2, cancellationToken);
            var (recorder, random) = (new Recorder(), new Random(seed));
            var browser = recorder.NewBrowser();
            var requests = 0;
            // Both processes know the session from here on.
            await WriteAsync(0);
            await ReadAsync();
            environment.Proxies[1].Latency = TimeSpan.FromMilliseconds(random.Next(20, 60));
            for (var round = 1; round <= Rounds; round++)
            {
                await WriteAsync(round);
                await ReadAsync();
                await Task.Delay(random.Next(0, 80), cancellationToken);
            }

            return recorder.History(plan, seed, farm);

            Task WriteAsync(int value) => SendAsync(0, new Step(Op.Set) { Path = "n", Value = value.ToString(CultureInfo.InvariantCulture) });

            Task ReadAsync() => SendAsync(1, new Step(Op.Get) { Path = "n" });

            async Task SendAsync(int process, Step step) =>
                recorder.Keep(await browser.SendAsync(
                    farm.Processes[process], new Request(string.Create(CultureInfo.InvariantCulture, $"r{++requests}"), [step]), cancellationToken));
        }
    }
}
