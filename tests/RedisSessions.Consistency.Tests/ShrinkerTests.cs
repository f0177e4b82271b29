using RedisSessions.Consistency.Scripts;
using RedisSessions.Consistency.Shrinking;

namespace RedisSessions.Consistency.Tests;

/// <summary>A plan that fails for one reason shrinks to that reason.</summary>
public sealed class ShrinkerTests
{
    [Fact]
    public void What_does_not_matter_is_left_out()
    {
        var generator = new Generator(new Random(7), new GeneratorProfile { Updates = 20 });
        Request[] plan = [.. Enumerable.Range(0, 40).Select(_ => generator.Next(0))];
        var smallest = Shrinker.Shrink(plan, Fails);
        Assert.Equal(2, smallest.Count);
        Assert.Equal(["Login", "Push order 1"], smallest.SelectMany(request => request.Steps).Select(Printing.Line).Order());
    }

    [Fact]
    public void It_asks_no_more_often_than_it_may()
    {
        var generator = new Generator(new Random(7), new GeneratorProfile());
        Request[] plan = [.. Enumerable.Range(0, 40).Select(_ => generator.Next(0))];
        var asked = 0;
        Shrinker.Shrink(plan, candidate => ++asked > 0 && Fails(candidate), maxTries: 25);
        Assert.Equal(25, asked);
    }

    /// <summary>Two requests matter: one that pushes to the list of commits, and one that logs in.</summary>
    private static bool Fails(IReadOnlyList<Request> plan) =>
        plan.Any(request => Does(request, Op.Push, Generator.Order) && plan.Any(other => other != request && Does(other, Op.Login, null)));

    private static bool Does(Request request, Op op, string? path) =>
        request.Steps.SelectMany(Steps.All).Any(step => step.Op == op && step.Path == path);
}
