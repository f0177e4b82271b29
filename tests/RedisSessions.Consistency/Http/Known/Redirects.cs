using System.Globalization;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>
/// A browser writes on one process and is redirected to another, which has the session in its near cache. The message about the write
/// travels as slowly as
/// everything else between that process and Redis.
/// </summary>
internal static class Redirects
{
    private const int Rounds = 30;

    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken)
    {
        await using var stage = await Stage.TryStartAsync("near", 2, seed, cancellationToken);
        if (stage is null)
            return null;
        var random = new Random(seed);
        var browser = stage.Recorder.NewBrowser();
        await RoundAsync(0);
        // Both processes know the session from here on.
        stage.Environment.Proxies[1].Latency = TimeSpan.FromMilliseconds(random.Next(60, 120));
        for (var round = 1; round <= Rounds; round++)
        {
            await RoundAsync(round);
            await Task.Delay(random.Next(0, 150), cancellationToken);
        }

        return stage.Judge();

        async Task RoundAsync(int round)
        {
            var value = round.ToString(CultureInfo.InvariantCulture);
            await stage.SendAsync(browser, 0, $"write-{value}", new Step(Op.Set) { Path = "n", Value = value });
            await stage.SendAsync(browser, 1, $"read-{value}", new Step(Op.Get) { Path = "n" });
        }
    }
}
