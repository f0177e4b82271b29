using RedisSessions.Consistency.Scripts;
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
            Request[] requests = [.. Enumerable.Range(0, 10).Select(_ => generator.Next(0))];
            if (await Agreement.DifferenceAsync(requests) is { } difference)
                differences.Add(difference);
        }
        Assert.True(differences.Count == 0, string.Join(Environment.NewLine, differences.Take(10)));
    }
}
