using RedisSessions.LoadTests.Compare;
using RedisSessions.LoadTests.Servers;
using RedisSessions.TestServers;

namespace RedisSessions.LoadTests.Tests;

public sealed class CommandLineTests : IDisposable
{
    private const string NoRedis = "no redis-server on the PATH";
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"load-{Guid.NewGuid():N}");

    [Fact]
    public async Task A_good_site_is_exit_code_0_and_a_report_in_two_forms_with_pictures()
    {
        await using var site = await FakeSite.StartAsync();
        var (code, output) = await RunAsync("cart-race", "--target", site.Address.ToString(), "--duration", "1s", "--warm-up", "0", "--connections", "4");
        Assert.True(code == CommandLine.Kept, output);
        Assert.Contains("no acknowledged update is lost", output, StringComparison.Ordinal);
        Assert.DoesNotContain("BROKEN", output, StringComparison.Ordinal);
        // Plain lines where nobody looks at a terminal.
        Assert.DoesNotContain('\u001b', output);
        Assert.Contains("cart-race 1.0 s of 1 s: ", output, StringComparison.Ordinal);

        var markdown = File.ReadAllText(Path.Combine(_folder, "report.md"));
        Assert.Contains("| no acknowledged update is lost | 0 of ", markdown, StringComparison.Ordinal);
        Assert.Contains("![Latency by percentile](plot-1.svg)", markdown, StringComparison.Ordinal);
        Assert.Contains("closed: 4 connections", markdown, StringComparison.Ordinal);
        var html = File.ReadAllText(Path.Combine(_folder, "report.html"));
        foreach (var plot in new[] { "plot-1.svg", "plot-2.svg" })
        {
            var svg = File.ReadAllText(Path.Combine(_folder, plot));
            Assert.Contains("<path", svg, StringComparison.Ordinal);
            Assert.Contains(svg[svg.IndexOf("<svg", StringComparison.Ordinal)..], html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_site_that_loses_updates_is_exit_code_1_and_says_how_many()
    {
        await using var site = await FakeSite.StartAsync(Fault.LosesUpdates);
        var (code, output) = await RunAsync("cart-race", "--target", site.Address.ToString(), "--duration", "500ms", "--warm-up", "0", "--rate", "50");
        Assert.True(code == CommandLine.Broken, output);
        Assert.Matches("BROKEN: no acknowledged update is lost: [1-9][0-9]* of [0-9]+ lost", output);
        Assert.Contains("BROKEN", File.ReadAllText(Path.Combine(_folder, "report.html")), StringComparison.Ordinal);
        Assert.Contains("open: 50 steps a second", File.ReadAllText(Path.Combine(_folder, "report.md")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_fails_is_exit_code_1()
    {
        await using var site = await FakeSite.StartAsync(Fault.ForgetsUsers);
        var (code, output) = await RunAsync("browse", "--target", site.Address.ToString(), "--duration", "300ms", "--warm-up", "0", "--sessions", "10");
        Assert.True(code == CommandLine.Broken, output);
        Assert.Contains("BROKEN: no step fails", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--duration is no duration", "browse", "--duration", "soon")]
    [InlineData("--duration 0 is none", "browse", "--duration", "0")]
    [InlineData("two models", "browse", "--rate", "10", "--connections", "4")]
    [InlineData("no rate", "browse", "--rate", "0")]
    [InlineData("no connections", "browse", "--connections", "0")]
    [InlineData("no such scenario", "brows")]
    [InlineData("no scenario")]
    [InlineData("a target that is none", "browse", "--target", "localhost:5000")]
    [InlineData("an option that is none", "browse", "--speed", "10")]
    [InlineData("rounds", "compare", "--rounds", "0")]
    [InlineData("farm kills what it drives", "farm", "--target", "http://127.0.0.1:1")]
    [InlineData("failover too", "failover", "--target", "http://127.0.0.1:1")]
    [InlineData("a shop that is nowhere", "cart-race", "--shop")]
    public async Task What_cannot_be_run_is_exit_code_2_and_a_reason(string why, params string[] arguments)
    {
        var (code, output) = await RunAsync(arguments);
        Assert.True(code == CommandLine.Usage, $"{why}: {code}\n{output}");
        Assert.NotEmpty(output.Trim());
        Assert.False(Directory.Exists(_folder));
    }

    [Theory]
    [InlineData(nameof(Fault.None), CommandLine.Kept)]
    [InlineData(nameof(Fault.LosesUpdates), CommandLine.Broken)]
    public async Task The_shop_is_raced_on_its_own_routes(string fault, int expected)
    {
        await using var site = await FakeSite.StartAsync(Enum.Parse<Fault>(fault));
        var (code, output) = await RunAsync("cart-race", "--shop", "--target", site.Address.ToString(), "--duration", "500ms", "--warm-up", "0", "--connections", "4");
        Assert.True(code == expected, output);
    }

    [Fact]
    public async Task What_the_shop_does_not_have_is_exit_code_2()
    {
        await using var site = await FakeSite.StartAsync();
        var (code, output) = await RunAsync("browse", "--shop", "--target", site.Address.ToString(), "--duration", "500ms", "--warm-up", "0", "--sessions", "5");
        Assert.True(code == CommandLine.Usage, output);
        Assert.Contains("only cart-race", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_names_every_scenario()
    {
        var (code, output) = await RunAsync("--help");
        Assert.Equal(0, code);
        foreach (var name in new[] { "compare", "scale", "browse", "login-storm", "cart-race", "hot-session", "large-session", "churn", "farm", "failover" })
            Assert.Contains(name, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_race_is_won_by_our_own_servers_and_lost_by_the_framework()
    {
        Assert.SkipWhen(RedisProcess.Program is null, NoRedis);
        var (code, output) = await RunAsync("cart-race", "--duration", "1s", "--warm-up", "0");
        Assert.True(code == CommandLine.Kept, output);

        await using var redis = (await RedisProcess.TryStartAsync([], Token))!;
        var keys = Directory.CreateTempSubdirectory("peers-").FullName;
        await using var framework = await Subject.PeerAsync("framework", "framework-async", redis.Configuration, keys, Token);
        (code, output) = await RunAsync("cart-race", "--target", framework.Address.ToString(), "--duration", "1s", "--warm-up", "0");
        Directory.Delete(keys, recursive: true);
        Assert.True(code == CommandLine.Broken, output);
        Assert.Matches("BROKEN: no acknowledged update is lost: [1-9][0-9]* of", output);
    }

    [Fact]
    public async Task What_scripts_call_is_not_counted_as_sent()
    {
        Assert.SkipWhen(RedisProcess.Program is null, NoRedis);
        await using var redis = (await RedisProcess.TryStartAsync([], Token))!;
        await using var counters = await RedisCounters.ConnectAsync(redis.Configuration);
        await counters.ResetAsync();
        await counters.Database.StringSetAsync("a", "1");
        Assert.Equal(1, RedisCounters.Sent(await counters.CallsAsync()));
        await counters.ResetAsync();
        await counters.Database.ScriptEvaluateAsync("return redis.call('SET', KEYS[1], redis.call('GET', KEYS[1]))", ["a"]);
        var calls = await counters.CallsAsync();
        // The library loads a script before it is called by its digest.
        Assert.Equal((1L, 1L), (calls["get"], calls["set"]));
        Assert.InRange(RedisCounters.Sent(calls), 1, 2);
    }

    [Fact]
    public void The_processor_time_of_a_process_is_read_as_the_system_has_it()
    {
        Assert.SkipWhen(!OperatingSystem.IsLinux(), "there is no /proc");
        var before = Environment.CpuUsage.TotalTime;
        var seen = ProcessTimes.Of(Environment.ProcessId);
        // In hundredths of a second, and two figures that are cut off to them.
        Assert.InRange(seen, before - TimeSpan.FromMilliseconds(40), Environment.CpuUsage.TotalTime + TimeSpan.FromMilliseconds(40));
        Assert.Equal(TimeSpan.Zero, ProcessTimes.Of(-1));
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        var runs = arguments is [var first, ..] && !first.StartsWith('-') && first != "brows";
        var code = await CommandLine.RunAsync(runs ? [.. arguments, "--output", _folder] : arguments, output);
        Secrets.Seen("the output of the load tests", output.ToString());
        foreach (var file in Directory.Exists(_folder) ? Directory.GetFiles(_folder) : [])
            Secrets.Seen("a report of the load tests", await File.ReadAllTextAsync(file, Token));
        return (code, output.ToString());
    }
}
