using System.Globalization;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>
/// The store falls silent while several requests of one session commit. The first one holds the session's queue for longer than
/// <c>CommitTimeout</c>. The others are answered 409, as if somebody had changed what they had read: they have read nothing, and the store
/// has failed.
/// </summary>
internal static class QueueBehindOutage
{
    private const int Requests = 6;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(4);

    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken)
    {
        await using var stage = await Stage.TryStartAsync("redis", 1, seed, cancellationToken, "--Sessions:CommitTimeout=00:00:01");
        if (stage is null)
            return null;
        var random = new Random(seed);
        var browser = stage.Recorder.NewBrowser();
        await stage.SendAsync(browser, 0, "begin", new Step(Op.Increment) { Path = "n", Number = 1 });
        var sending = Enumerable.Range(1, Requests).Select(number => stage.SendAsync(
            browser, 0, number.ToString(CultureInfo.InvariantCulture),
            new Step(Op.Wait) { Number = 300 + random.Next(300) }, new Step(Op.Set) { Path = $"k{number}", Value = "1" })).ToArray();
        // All of them have loaded the session by then, and none commits before.
        await Task.Delay(200, cancellationToken);
        stage.Recorder.Note("outage: silence");
        stage.Environment.Proxies[0].IsSilent = true;
        await Task.Delay(Silence, cancellationToken);
        stage.Environment.Proxies[0].IsSilent = false;
        await Task.WhenAll(sending);
        return stage.Judge();
    }
}
