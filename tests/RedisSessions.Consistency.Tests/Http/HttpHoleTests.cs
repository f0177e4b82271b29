using RedisSessions.Consistency.Http.Known;
using RedisSessions.Consistency.Known;

namespace RedisSessions.Consistency.Tests.Http;

/// <summary>
/// Holes that are known and open, and need real servers. A test that fails says that its hole is closed: remove it from <see cref="HttpHoles"/>. The simulation
/// finds the others from seeds, which repeat exactly; over HTTP the command <c>http --holes</c> looks for them.
/// </summary>
[Collection(nameof(HttpRuns))]
public sealed class HttpHoleTests(ITestOutputHelper output)
{
    private const int Seeds = 20;

    public static TheoryData<string> Letters =>
        [.. HttpHoles.All.Select(hole => hole.Letter).Except(KnownHoles.All.Select(hole => hole.Letter))];

    [Theory]
    [MemberData(nameof(Letters))]
    public async Task A_known_hole_is_found(string letter)
    {
        var hole = HttpHoles.All.Single(hole => hole.Letter == letter);
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var found = await hole.FindAsync(seed, TestContext.Current.CancellationToken);
            if (found is null)
                Assert.Skip($"hole {letter} needs redis-server and redis-cli.");
            var findings = found.Findings.Where(finding => finding.Code == hole.Code).ToArray();
            output.WriteLine($"{letter}, seed {seed}: {findings.Length} findings. {findings.FirstOrDefault()}");
            if (findings.Length > 0)
                return;
        }

        Assert.Fail($"{letter} ({hole.Title}) is not found any more from {Seeds} seeds: is the hole closed? Then it leaves the list.");
    }
}
