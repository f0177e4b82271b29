using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http;
using RedisSessions.Consistency.Http.Environments;

namespace RedisSessions.Consistency.Tests.Http;

/// <summary>Browsers, processes and faults for some seconds over each store. The long runs are the command <c>http</c>.</summary>
[Collection(nameof(HttpRuns))]
public sealed class HttpRunTests(ITestOutputHelper output)
{
    private const int Seed = 21;

    [Theory]
    [InlineData("redis", 10)]
    [InlineData("garnet", 5)]
    [InlineData("file", 5)]
    [InlineData("sqlite", 5)]
    [InlineData("postgres", 5)]
    [InlineData("mariadb", 5)]
    public async Task Everything_is_as_promised(string store, int seconds)
    {
        var plan = new HttpPlan(EnvironmentCatalog.Find(store)!, Seed, TimeSpan.FromSeconds(seconds))
        {
            Profile = HttpProfiles.Clean,
            Takes = HttpProfiles.IsClean,
        };
        var history = await HttpRun.RunAsync(plan, TestContext.Current.CancellationToken);
        if (history is null)
            Assert.Skip($"no {store}: this machine has not got what it needs.");

        var all = Judge.Check(history);
        var findings = all.Where(finding => !HttpProfiles.IsKnown(finding)).ToArray();

        output.WriteLine($"{store}: {history.Observations.Count} requests, {history.Events.Count} events, {all.Count} findings");
        // With the seed alone it cannot be repeated: which request is faster, the machine decides.
        if (findings.Length > 0)
            output.WriteLine(await KeptHistory.WriteAsync(history, Path.GetTempPath(), TestContext.Current.CancellationToken));
        Assert.Empty(findings);
        Assert.Contains(history.Observations, observation => observation.Segments.Any(segment => segment.IsUpdate && segment.Runs > 1));
    }
}

/// <summary>Many processes: one run at a time, and nothing beside it.</summary>
[CollectionDefinition(nameof(HttpRuns), DisableParallelization = true)]
public sealed class HttpRuns;
