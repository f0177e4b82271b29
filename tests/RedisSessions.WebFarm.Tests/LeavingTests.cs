using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using RedisSessions.TestServers;

namespace RedisSessions.WebFarm.Tests;

/// <summary>An instance is told to leave in the middle of the day's work, and no visitor notices.</summary>
public sealed class LeavingTests
{
    private const int Visitors = 24;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_instance_that_gets_SIGTERM_under_load_leaves_without_a_failed_request_and_without_a_lost_change()
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        var outcome = await LeaveAsync(farm, rounds: 2);
        Assert.Empty(outcome.Failures);
        Assert.True(outcome.Answered > 200, $"only {outcome.Answered} requests");
    }

    [Fact]
    public async Task The_same_with_nginx_in_front()
    {
        await using var farm = await TopologyTests.StartAsync("single");
        TopologyTests.SkipWithoutNginx(farm);
        var outcome = await LeaveAsync(farm, rounds: 3);
        Report("nginx", outcome);
        Assert.Empty(outcome.Failures);
        Assert.True(outcome.Answered > 200, $"only {outcome.Answered} requests");
    }

    [Fact(Explicit = true)]
    public async Task Ten_times_in_a_row()
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        var outcome = await LeaveAsync(farm, rounds: 10);
        Report("asked, with a delay", outcome);
        Assert.Empty(outcome.Failures);
    }

    /// <summary>The negative control: without the delay and without being asked how it is, an instance takes requests with it.</summary>
    [Fact(Explicit = true)]
    public async Task Without_health_checks_and_delay_requests_fail()
    {
        await using var farm = await FarmProcess.StartAsync(
            Token, settings: ["--Farm:HealthChecks=false", "--Sessions:ShutdownDelay=00:00:00"]);
        var outcome = await LeaveAsync(farm, rounds: 10);
        Report("neither asked nor delayed", outcome);
        Assert.NotEmpty(outcome.Failures);
    }

    /// <summary>Visitors work without a pause while one instance after the other is told to leave, and started again.</summary>
    private static async Task<Outcome> LeaveAsync(FarmProcess farm, int rounds)
    {
        using var watcher = new Visitor(farm);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var failures = new ConcurrentQueue<string>();
        var answered = 0;
        var visitors = Enumerable.Range(0, Visitors).Select(_ => Task.Run(VisitAsync, Token)).ToArray();
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                await MoreAsync(Visitors);
                var name = ((string[])["A", "B", "C"])[round % 3];
                var leaving = (await watcher.InstancesAsync(Token)).Single(instance => instance.Name == name);
                await ProcessSignal.SendAsync("TERM", leaving.Pid);
                await Poll.UntilAsync(() => !FarmProcess.IsRunning(leaving.Pid), Patience, $"instance {name} to end", Token);
                await MoreAsync(Visitors);
                await Poll.UntilAsync(
                    async () => (await watcher.InstancesAsync(Token)).Any(instance => instance.Name == name && !instance.Up), Patience, $"the farm to know of {name}'s end", Token);
                await watcher.SendAsync("/instances/start", "instance", name, Token);
            }
        }
        finally
        {
            await enough.CancelAsync();
            await Task.WhenAll(visitors);
        }

        return new Outcome(answered, failures);

        async Task MoreAsync(int requests)
        {
            var then = Volatile.Read(ref answered);
            await Poll.UntilAsync(() => Volatile.Read(ref answered) > then + requests || !failures.IsEmpty, Patience, "the visitors to go on", Token);
        }

        // Changes that count up tell whether one that was acknowledged is missing, or one is there twice.
        async Task VisitAsync()
        {
            using var visitor = new Visitor(farm);
            var (acknowledged, unknown) = (0, 0);
            while (!enough.IsCancellationRequested)
            {
                try
                {
                    using var answer = await visitor.PostAsync("/api/increment", Token);
                    var text = await answer.Content.ReadAsStringAsync(Token);
                    if (answer.StatusCode == HttpStatusCode.OK)
                    {
                        var count = int.Parse(text, CultureInfo.InvariantCulture);
                        if (count <= acknowledged || count > acknowledged + 1 + unknown)
                            failures.Enqueue($"{count} after {acknowledged}");
                        (acknowledged, unknown) = (count, 0);
                    }
                    else
                    {
                        failures.Enqueue($"POST {(int)answer.StatusCode}: {text.Trim()}");
                        unknown++;
                    }

                    using var page = await visitor.GetAsync("/api/increment", Token);
                    if (page.StatusCode != HttpStatusCode.OK)
                        failures.Enqueue($"GET {(int)page.StatusCode}");
                    Interlocked.Add(ref answered, 2);
                }
                catch (HttpRequestException e)
                {
                    failures.Enqueue($"{e.HttpRequestError}: {e.Message}");
                    unknown++;
                }
            }
        }
    }

    private static void Report(string how, Outcome outcome) => TestContext.Current.TestOutputHelper?.WriteLine(
        $"LEAVING, {how}: {outcome.Answered} requests, {outcome.Failures.Count} failed: {string.Join("; ", outcome.Failures.CountBy(failure => failure).Select(one => $"{one.Value} x {one.Key}"))}");

    private sealed record Outcome(int Answered, IReadOnlyCollection<string> Failures);
}
