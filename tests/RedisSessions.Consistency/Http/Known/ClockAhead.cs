using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>
/// One process's clock is ahead. A request that is on its way while another one rotates the id meets it, with the old id, within the grace.
/// </summary>
internal static class ClockAhead
{
    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken)
    {
        await using var stage = await Stage.TryStartAsync("redis", 2, seed, cancellationToken);
        if (stage is null)
            return null;
        var ahead = new Random(seed).Next(35, 60);
        await stage.Farm.Processes[1].RestartAsync(TimeSpan.FromSeconds(ahead), cancellationToken);
        var browser = stage.Recorder.NewBrowser();
        await stage.SendAsync(browser, 0, "begin", new Step(Op.Set) { Path = "cart", Value = "\"full\"" });
        var underWay = browser.Tab();
        await stage.SendAsync(browser, 0, "rotate", new Step(Op.Rotate));
        await stage.SendAsync(underWay, 1, "image", new Step(Op.Push) { Path = "seen", Value = "1" });
        await stage.SendAsync(browser, 0, "look", new Step(Op.All));
        return stage.Judge();
    }
}
