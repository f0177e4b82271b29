using System.Globalization;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>
/// A visitor signs in on one tab and signs out on another at the same time, on two processes. Whoever signs out last has no session.
/// </summary>
internal static class LoginAgainstLogout
{
    private const int Rounds = 40;

    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken)
    {
        await using var stage = await Stage.TryStartAsync("redis", 2, seed, cancellationToken);
        if (stage is null)
            return null;
        var random = new Random(seed);
        for (var round = 0; round < Rounds; round++)
        {
            var browser = stage.Recorder.NewBrowser();
            await stage.SendAsync(browser, 0, "begin", new Step(Op.Set) { Path = "cart", Value = "\"full\"" });
            // Both have loaded the session before either commits.
            var login = stage.SendAsync(
                browser, 0, "login",
                Wait(random.Next(5, 15)), new Step(Op.Set) { Path = "user", Value = round.ToString(CultureInfo.InvariantCulture) }, new Step(Op.Login));
            var logout = stage.SendAsync(browser, 1, "logout", Wait(random.Next(10, 40)), new Step(Op.Destroy));
            await Task.WhenAll(login, logout);
            await stage.SendAsync(browser, 0, "look", new Step(Op.All));
        }

        return stage.Judge();
    }

    private static Step Wait(int milliseconds) => new(Op.Wait) { Number = milliseconds };
}
