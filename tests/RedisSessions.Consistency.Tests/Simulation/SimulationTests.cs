namespace RedisSessions.Consistency.Tests.Simulation;

/// <summary>The bounded part of the checker: seeds that must show nothing new, and what makes them worth something.</summary>
public sealed class SimulationTests(ITestOutputHelper log)
{
    [Fact]
    public async Task What_no_known_hole_touches_breaks_no_promise()
    {
        var (exitCode, output) = await Checker.RunAsync("run", "--scenario", "clean", "--count", "150");
        log.WriteLine(output);
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task Everything_at_once_shows_known_holes_only()
    {
        var (exitCode, output) = await Checker.RunAsync("run", "--count", "25");
        log.WriteLine(output);
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task A_planted_bug_is_found()
    {
        var (exitCode, output) = await Checker.RunAsync("guards", "--count", "400");
        log.WriteLine(output);
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task A_seed_is_the_same_history_each_time_and_in_each_process()
    {
        var first = await Checker.RunAsync("digest", "--count", "12");
        Assert.True(first.ExitCode == 0, first.Output);
        Assert.Equal(first, await Checker.RunAsync("digest", "--count", "12"));
    }

    [Fact]
    public async Task What_is_no_command_is_explained()
    {
        var (exitCode, output) = await Checker.RunAsync("run", "--sead", "1");
        Assert.Equal(2, exitCode);
        Assert.Contains("replay --scenario", output, StringComparison.Ordinal);
    }
}
