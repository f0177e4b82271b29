namespace RedisSessions.LoadTests.Scenarios;

/// <summary>Visitors of three instances, one of which is killed in the middle: what it had on its way breaks, and nothing else does.</summary>
internal sealed class Farm(int sessions, TimeProvider time) : Browse(sessions)
{
    private readonly Outage _outage = new(time, TimeSpan.FromSeconds(3));

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
        return Target.KillInstanceAsync();
    }

    public override async Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken) =>
        [.. await base.VerifyAsync(cancellationToken), _outage.Verify("an instance")];
}
