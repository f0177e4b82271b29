using System.Diagnostics;
using CsCheck;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;
using RedisSessions.Consistency.Tests.Support;

namespace RedisSessions.Consistency.Tests;

/// <summary>The judge accepts every history of a farm without faults, and finds a fault that was planted.</summary>
public sealed class ReferenceFarmTests
{
    private static readonly GeneratorProfile Everything = new() { Cancelled = 0 };
    private static readonly GeneratorProfile Lasting = new() { Cancelled = 0, Logout = 0, All = 0, Discards = 0, Order = 100, Flash = 0,
        ReadOnly = 0 };

    [Fact]
    public void One_request_after_the_other_is_accepted() =>
        Gen.Int[0, 1_000_000].Sample(seed => Accepted(seed, requests: 30, parallel: 1), iter: 150);

    [Fact]
    public void Requests_beside_each_other_are_accepted() =>
        Gen.Select(Gen.Int[0, 1_000_000], Gen.Int[2, 8]).Sample(plan => Accepted(plan.Item1, requests: 40, parallel: plan.Item2),
            iter: 200);

    [Theory]
    [InlineData(nameof(Fault.Drop))]
    [InlineData(nameof(Fault.Twice))]
    [InlineData(nameof(Fault.OldState))]
    [InlineData(nameof(Fault.WrongAnswer))]
    public void A_planted_fault_is_found(string fault)
    {
        var (planted, missed) = (0, new List<int>());
        for (var seed = 0; seed < 150; seed++)
        {
            var random = new Random(seed);
            var farm = new ReferenceFarm(random, 4, Enum.Parse<Fault>(fault));
            var history = farm.Run(new Generator(random, Lasting), 25);
            planted += farm.HasFailed ? 1 : 0;
            if (farm.HasFailed && Judge.Check(history).Count == 0)
                missed.Add(seed);
        }
        Assert.True(planted > 50, $"planted only {planted} times");
        Assert.True(missed.Count == 0, $"missed {missed.Count} of {planted}: seeds {string.Join(' ', missed)}");
    }

    [Fact]
    public void Sixty_requests_eight_at_once_are_judged_quickly()
    {
        var histories = Enumerable.Range(0, 20).Select(seed =>
        {
            var random = new Random(seed);
            return new ReferenceFarm(random, 8).Run(new Generator(random, Everything), 60);
        }).ToList();
        _ = Judge.Check(histories[0]);
        var took = histories.Select(history =>
        {
            var start = Stopwatch.GetTimestamp();
            Assert.Empty(Judge.Check(history));
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }).Order().ToList();
        TestContext.Current.SendDiagnosticMessage($"median {took[10]:F1} ms, longest {took[^1]:F1} ms");
        Assert.True(took[10] < 500, $"median {took[10]:F1} ms, longest {took[^1]:F1} ms");
    }

    private static void Accepted(int seed, int requests, int parallel)
    {
        var random = new Random(seed);
        var history = new ReferenceFarm(random, parallel).Run(new Generator(random, Everything), requests);
        var findings = Judge.Check(history);
        if (findings.Count > 0)
            Assert.Fail($"seed {seed}: {Report.Of(findings[0], history)}{Report.Of(history)}");
    }
}
