using RedisSessions.Consistency.Known;

namespace RedisSessions.Consistency.Tests.Simulation;

/// <summary>Each hole that is marked as known is found, by the script that is kept and by seeds. Who closes one removes its mark.</summary>
public sealed class KnownHoleTests(ITestOutputHelper log)
{
    public static TheoryData<string> Letters => [.. KnownHoles.All.Select(hole => hole.Letter)];

    [Theory]
    [MemberData(nameof(Letters))]
    public async Task A_known_hole_is_still_open(string letter)
    {
        var (exitCode, output) = await Checker.RunAsync("holes", "--hole", letter, "--minutes", "1");
        log.WriteLine(output);
        Assert.True(exitCode == 0, $"Hole {letter} is closed: remove its mark from KnownHoles.\n{output}");
    }
}
