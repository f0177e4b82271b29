using RedisSessions.Consistency.History;

namespace RedisSessions.Consistency.Simulation;

/// <summary>Runs a script: the same script gives the same history, byte for byte.</summary>
internal static class Simulator
{
    // Longer than any message may still be on its way, and shorter than a closed record lives.
    private const long UntilAllHasArrived = 70_000_000;

    public static RunResult Run(Script script, Scenario scenario, bool traced = false)
    {
        var world = new World(script, scenario, traced);
        world.Scheduler.After(0, () => _ = RunAsync(world));
        world.Scheduler.Run();
        var history = world.History();
        return new RunResult(script, history, [.. Judge.Check(history), .. world.Findings], world.Trace);
    }

    private static async Task RunAsync(World world)
    {
        try
        {
            var environment = new EnvironmentEvents(world);
            foreach (var planned in world.Script.Events)
                world.Scheduler.After(planned.At * 1000, () => environment.Do(planned));
            var browsers = world.Script.Requests.Select(planned => planned.Browser).Distinct()
                .ToDictionary(number => number, number => new Browser(world, number));
            await Task.WhenAll(world.Script.Requests.GroupBy(planned => (planned.Browser, planned.Tab))
                .Select(tab => browsers[tab.Key.Browser].RunTabAsync(tab)));
            await LookAsync(world, environment);
        }
        finally
        {
            world.Scheduler.Stop();
        }
    }

    /// <summary>When all is over and nothing is wrong any more, each id that a browser ever had is looked up once.</summary>
    private static async Task LookAsync(World world, EnvironmentEvents environment)
    {
        world.Faults = FaultWeights.None;
        environment.Heal();
        await world.DelayAsync(UntilAllHasArrived);
        foreach (var (number, id) in world.Issued.Index().ToList())
            await Browser.LookAsync(world, 1001 + number, id);
    }
}

/// <summary>What a run has shown.</summary>
internal sealed record RunResult(Script Script, RunHistory History, IReadOnlyList<Finding> Findings, IReadOnlyList<string> Trace);
