using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Http.Faults;

namespace RedisSessions.Consistency.Tests.Http;

/// <summary>Browsers, processes and faults for some seconds over each store. The long runs are the command <c>http</c>.</summary>
[Collection(nameof(HttpRuns))]
public sealed class HttpRunTests(ITestOutputHelper output)
{
    private const int Seed = 21;

    [Theory]
    [InlineData("redis", 6)]
    [InlineData("garnet", 5)]
    [InlineData("file", 5)]
    [InlineData("sqlite", 5)]
    [InlineData("postgres", 5)]
    [InlineData("mariadb", 5)]
    public async Task Everything_is_as_promised(string store, int seconds)
    {
        var history = await HttpRun.RunAsync(Plan(EnvironmentCatalog.Find(store)!, seconds), TestContext.Current.CancellationToken);
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

    [Fact]
    public async Task A_store_that_loses_what_it_acknowledged_is_found()
    {
        var plan = Plan(EnvironmentCatalog.Forgetful, 4) with { Faults = static environment => [.. environment.Faults.OfType<RollBack>()] };
        var history = await HttpRun.RunAsync(plan, TestContext.Current.CancellationToken);
        if (history is null)
            Assert.Skip("no redis-server on the PATH.");

        var findings = Judge.Check(history);

        output.WriteLine($"{history.Observations.Count} requests, {findings.Count} findings");
        Assert.Contains(findings, finding => finding.Code is Codes.Lost or Codes.NotSerializable or Codes.LiveSessionLost);
    }

    private static HttpPlan Plan(EnvironmentPlan environment, int seconds) => new(environment, Seed, TimeSpan.FromSeconds(seconds))
    {
        Profile = HttpProfiles.Clean,
        Takes = HttpProfiles.IsClean,
    };
}

/// <summary>Many processes: one run at a time, and nothing beside it.</summary>
[CollectionDefinition(nameof(HttpRuns), DisableParallelization = true)]
public sealed class HttpRuns;
