using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Scripts;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>
/// Sessions move from files to Redis. The answer of the commit that moves one is lost, and the commit is found to be stored at the second
/// try. Then the
/// stores are exchanged again: what is in the old one must not come before what was acknowledged in the new one.
/// </summary>
internal static class MoveBack
{
    private const int Browsers = 12;

    public static async Task<Found?> FindAsync(int seed, CancellationToken cancellationToken)
    {
        await using var stage = await Stage.TryStartAsync("readthrough-file-redis", 1, seed, cancellationToken);
        if (stage is not { Environment: ReadThroughEnvironment environment })
            return null;
        var random = new Random(seed);
        var browsers = Enumerable.Range(0, Browsers).Select(_ => stage.Recorder.NewBrowser()).ToArray();
        await AllAsync("begin", "1");
        await SwitchAsync();
        environment.Proxies[0].Policy = command => command.IsScript && random.Next(3) == 0 ? Fault.CutReply : Fault.None;
        await AllAsync("move", "2");
        environment.Proxies[0].Policy = static _ => Fault.None;
        await SwitchAsync();
        foreach (var browser in browsers)
            await stage.SendAsync(browser, 0, "look", new Step(Op.Get) { Path = "n" });
        return stage.Judge();

        async Task AllAsync(string name, string value)
        {
            foreach (var browser in browsers)
                await stage.SendAsync(browser, 0, name, new Step(Op.Set) { Path = "n", Value = value });
        }

        Task SwitchAsync()
        {
            environment.Switch();
            stage.Recorder.Note("the stores are exchanged");
            return stage.Farm.RestartAllAsync(kills: false, cancellationToken);
        }
    }
}
