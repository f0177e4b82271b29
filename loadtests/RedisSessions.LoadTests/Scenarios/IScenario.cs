using RedisSessions.LoadTests.Http;
using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>
/// A load: prepare, one step, verify. A scenario knows nothing of rates, workers, histograms and reports: any runner can run it
/// (<c>Running/</c> here, or <c>loadtests/NBomber</c>).
/// </summary>
internal interface IScenario
{
    /// <summary>Makes what the steps need. Called once, first.</summary>
    Task PrepareAsync(ITarget target, CancellationToken cancellationToken);

    /// <summary>One thing that a visitor does. Called many times, many at once.</summary>
    ValueTask<StepOutcome> StepAsync(CancellationToken cancellationToken);

    /// <summary>What happens to the servers in the middle of the run. Called once, while steps run.</summary>
    Task DisturbAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whether steps may fail; if not, the runner promises that none does.</summary>
    bool MayFail => false;

    /// <summary>Looks whether the promises were kept. Called once, when no step runs any more.</summary>
    Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken);
}

/// <summary>How a step went.</summary>
/// <param name="Failure">What went wrong, one of few texts; null when nothing did.</param>
internal readonly record struct StepOutcome(string? Failure)
{
    public static readonly StepOutcome Ok;

    public bool IsOk => Failure is null;

    /// <summary>Ok when this is the answer that it had to be.</summary>
    public static StepOutcome Expect(HttpAnswer answer, bool isRight) => answer.IsOk && isRight ? Ok : new StepOutcome(answer.Failure);
}
