using RedisSessions.Consistency.Scripts;
using RedisSessions.Consistency.Shrinking;
using RedisSessions.Consistency.Tests.Support;

namespace RedisSessions.Consistency.Tests;

/// <summary>One after another, requests on the library answer what the model answers: each step, each fate.</summary>
public sealed class SequentialAgreementTests
{
    private static readonly GeneratorProfile Profile = new() { Cancelled = 0, LiteralsMeetPaths = false, MaxSteps = 8 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task The_library_answers_what_the_model_answers(int seed)
    {
        var differences = new List<string>();
        for (var i = 0; i < 50; i++)
        {
            var generator = new Generator(new Random((seed * 1000) + i), Profile);
            Request[] requests = [.. Enumerable.Range(0, 50).Select(_ => generator.Next(0))
                .Where(request => !KnownDifference.UndoesAnEnd(request)).Take(10)];
            if (await Agreement.DifferenceAsync(requests) is not null)
                differences.Add(await SmallestAsync(requests));
        }
        Assert.True(differences.Count == 0, string.Join(Environment.NewLine, differences.Take(10)));
    }

    private static async Task<string> SmallestAsync(IReadOnlyList<Request> requests)
    {
        var smallest = Shrinker.Shrink(requests, plan => Agreement.DifferenceAsync(plan).GetAwaiter().GetResult() is not null);
        return string.Join(Environment.NewLine, [.. smallest.Select(Printing.Line), await Agreement.DifferenceAsync(smallest)]);
    }
}
