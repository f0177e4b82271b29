using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>Visitors who browse while something is killed: what was on its way there breaks, for a while, and what was acknowledged is there.</summary>
/// <param name="sessions">How many visitors.</param>
/// <param name="time">By which the failures are timed.</param>
/// <param name="what">Is killed, for the report.</param>
/// <param name="window">How long steps may fail from then on.</param>
/// <param name="kill">Kills it.</param>
internal sealed class KillInTheMiddle(int sessions, TimeProvider time, string what, TimeSpan window, Func<ITarget, Task> kill) : Browse(sessions)
{
    private readonly Outage _outage = new(time, window);

    public override bool MayFail => true;

    public override async ValueTask<StepOutcome> StepAsync(CancellationToken cancellationToken)
    {
        var outcome = await base.StepAsync(cancellationToken);
        _outage.Note(outcome);
        return outcome;
    }

    public override Task DisturbAsync(CancellationToken cancellationToken)
    {
        _outage.Begin();
        return kill(Target);
    }

    public override async Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken) =>
        [.. await base.VerifyAsync(cancellationToken), _outage.Verify(what)];
}
