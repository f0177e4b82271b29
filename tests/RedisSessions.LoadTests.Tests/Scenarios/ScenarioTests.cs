using RedisSessions.LoadTests.Http;
using RedisSessions.LoadTests.Scenarios;
using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Tests.Scenarios;

/// <summary>A scenario that finds nothing on a bad site is of no use.</summary>
public sealed class ScenarioTests
{
    private const string NoLoss = "no acknowledged update is lost", NotTwice = "no update is applied twice", LoggedIn = "nobody is logged out";

    public static TheoryData<string> Names => [.. Catalog.Select(entry => entry.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_good_site_keeps_every_promise(string name)
    {
        var promises = await RunAsync(name, Fault.None);
        Assert.NotEmpty(promises);
        // The time of a burst beside the time of one is this machine's matter, not the fake's.
        Assert.All(promises.Where(promise => !promise.Text.StartsWith("the last of them", StringComparison.Ordinal)), promise => Assert.True(promise.IsKept, $"{promise.Text}: {promise.Seen}"));
    }

    [Theory]
    [InlineData("browse", "LosesUpdates", NoLoss)]
    [InlineData("browse", "AppliesTwice", NotTwice)]
    [InlineData("browse", "ForgetsUsers", LoggedIn)]
    [InlineData("cart-race", "LosesUpdates", NoLoss)]
    [InlineData("cart-race", "AppliesTwice", NotTwice)]
    [InlineData("hot-session", "LosesUpdates", NoLoss)]
    [InlineData("hot-session", "AppliesTwice", NotTwice)]
    [InlineData("hot-session", "Refuses", "100 increments at once through 1 instances all succeed")]
    [InlineData("large-session", "LosesUpdates", NoLoss)]
    [InlineData("login-storm", "KeepsTheId", "every login changes the id")]
    [InlineData("login-storm", "KeepsOldIds", "no id of before a login works after it")]
    [InlineData("churn", "RevivesDestroyed", "no destroyed session returns")]
    [InlineData("farm", "LosesUpdates", NoLoss)]
    [InlineData("farm", "Refuses", "failures only within 3 s of when an instance is killed")]
    [InlineData("failover", "LosesUpdates", NoLoss)]
    [InlineData("failover", "Refuses", "failures only within 15 s of when the primary is killed")]
    public async Task A_bad_site_breaks_the_promise_that_is_about_it(string name, string fault, string broken)
    {
        var promises = await RunAsync(name, Enum.Parse<Fault>(fault));
        var promise = Assert.Single(promises, promise => promise.Text == broken);
        Assert.False(promise.IsKept, $"{promise.Text}: {promise.Seen}");
    }

    [Fact]
    public async Task A_scenario_that_kills_leaves_servers_of_somebody_else_alone()
    {
        await using var target = new GivenServers([new Uri("http://127.0.0.1:1")]);
        await Assert.ThrowsAsync<UsageException>(target.KillInstanceAsync);
        await Assert.ThrowsAsync<UsageException>(target.KillPrimaryAsync);
    }

    [Fact]
    public void Scenarios_know_nothing_of_what_runs_them()
    {
        var files = Directory.GetFiles(Path.Combine(Repository, "loadtests", "RedisSessions.LoadTests", "Scenarios"), "*.cs");
        Assert.True(files.Length > 8);
        foreach (var file in files)
        {
            foreach (var word in new[] { "Spectre", "HdrHistogram", "ScottPlot", "LoadTests.Running", "LoadTests.Reporting", "NBomber.CSharp", "System.CommandLine" })
                Assert.DoesNotContain(word, File.ReadAllText(file), StringComparison.Ordinal);
        }
    }

    private static IReadOnlyList<ScenarioEntry> Catalog => ScenarioCatalog.All(TimeProvider.System);

    private static string Repository
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder!.FullName, "RedisSessions.sln")))
                folder = folder.Parent;
            return folder.FullName;
        }
    }

    /// <summary>A few hundred steps, without a runner: it takes none.</summary>
    private static async Task<IReadOnlyList<Promise>> RunAsync(string name, Fault fault)
    {
        const int Steps = 400, AtATime = 8;
        var token = TestContext.Current.CancellationToken;
        await using var fake = await FakeSite.StartAsync(fault, isWrong: false);
        await using var target = new FakeTarget(new Site([fake.Address]));
        var scenario = Catalog.Single(entry => entry.Name == name).Create(20);
        await scenario.PrepareAsync(target, token);
        fake.IsWrong = true;
        var steps = 0;
        await Task.WhenAll(Enumerable.Range(0, AtATime).Select(async _ =>
        {
            while (Interlocked.Increment(ref steps) <= Steps)
                await scenario.StepAsync(token);
        }));
        await scenario.DisturbAsync(token);
        return await scenario.VerifyAsync(token);
    }

    private sealed class FakeTarget(Site site) : ITarget
    {
        public Site Site => site;

        public RedisCounters? Redis => null;

        public Task KillInstanceAsync() => Task.CompletedTask;

        public Task KillPrimaryAsync() => Task.CompletedTask;

        public ValueTask DisposeAsync()
        {
            site.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
