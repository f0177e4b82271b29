using System.Diagnostics;
using System.Globalization;

namespace RedisSessions.Tests.Simulation;

/// <summary>
/// Nothing acknowledged is lost, nothing is applied twice, no destroyed session returns, and no replaced id works again: over many random
/// histories with conflicts, delays, lost answers, late duplicates, dying requests and dying processes.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Seeds = 400;

    [Fact]
    public async Task No_promise_is_broken_in_any_history()
    {
        // One history again: SIMULATION_SEED. A long hunt: SIMULATION_SEEDS as well.
        var first = Setting("SIMULATION_SEED") ?? 1;
        var count = Setting("SIMULATION_SEEDS") ?? (Setting("SIMULATION_SEED") is null ? Seeds : 1);
        var watch = Stopwatch.StartNew();
        await OnItsOwnThreadAsync(() =>
        {
            for (var i = first; i < first + count; i++)
            {
                if (Simulator.Run(i).Violation is { } violation)
                    Assert.Fail(Explain(i, violation, PlantedBug.None));
            }
        });
        output.WriteLine($"{count} histories in {watch.Elapsed.TotalSeconds:F1} s");
    }

    [Theory]
    [InlineData(PlantedBug.NoVersionCheck)]
    [InlineData(PlantedBug.NoCommitIds)]
    [InlineData(PlantedBug.NoMemoryCheck)]
    [InlineData(PlantedBug.NoClosedRecords)]
    public async Task A_planted_bug_is_found(PlantedBug bug)
    {
        await OnItsOwnThreadAsync(() =>
        {
            for (var seed = 1; seed <= 200; seed++)
            {
                if (Simulator.Run(seed, bug).Violation is not { } violation)
                    continue;
                output.WriteLine($"{bug} found by seed {seed}: {violation}");
                return;
            }

            Assert.Fail($"200 histories have not found {bug}");
        });
    }

    [Fact]
    public async Task A_seed_is_the_same_history_each_time() => await OnItsOwnThreadAsync(() =>
    {
        foreach (var seed in new[] { 1, 2, 3 })
        {
            var first = Simulator.Run(seed, traced: true).Trace;
            Assert.True(first.Count > 300, $"only {first.Count} events");
            Assert.Equal(first, Simulator.Run(seed, traced: true).Trace);
        }
    });

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Explain(int seed, string violation, PlantedBug bug)
    {
        var trace = Simulator.Run(seed, bug, traced: true).Trace;
        return $"{violation}{Environment.NewLine}Run this history again with SIMULATION_SEED={seed}. Its last events:{Environment.NewLine}"
            + string.Join(Environment.NewLine, trace.TakeLast(250));
    }

    /// <summary>The test framework's threads have a synchronization context; the simulation must not.</summary>
    private static Task OnItsOwnThreadAsync(Action run)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                run();
                ended.SetResult();
            }
            catch (Exception e)
            {
                ended.SetException(e);
            }
        }).Start();
        return ended.Task;
    }
}
