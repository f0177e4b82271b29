using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>
/// Plain code reads a value, commits an update about something else, and writes what it decided by that value. Another request decides by
/// what the first one
/// writes, and changes the value in between. What was read stays in the read set of the next plain commit, which must be refused: else both
/// have decided.
/// </summary>
internal static class CarriedRead
{
    private const int Rounds = 20;

    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken)
    {
        await using var stage = await Stage.TryStartAsync("garnet", 2, seed, cancellationToken);
        if (stage is null)
            return null;
        var random = new Random(seed);
        for (var round = 0; round < Rounds; round++)
        {
            var browser = stage.Recorder.NewBrowser();
            await stage.SendAsync(browser, 0, "begin", new Step(Op.Increment) { Path = "n", Number = 1 });
            var slow = stage.SendAsync(
                browser, 0, "slow",
                new Step(Op.Get) { Path = "owner" },
                new Step(Op.Update) { Then = [new Step(Op.Increment) { Path = "n", Number = 1 }] },
                new Step(Op.Wait) { Number = 20 + random.Next(20) },
                new Step(Op.Set) { Path = "prize", Value = "\"nobody owns it\"" });
            await Task.Delay(random.Next(20), cancellationToken);
            await stage.SendAsync(
                browser, 1, "fast", new Step(Op.Has) { Path = "prize" }, new Step(Op.Set) { Path = "owner", Value = "\"fast\"" });
            await slow;
            await stage.SendAsync(browser, 1, "look", new Step(Op.All));
        }

        return stage.Judge();
    }
}
