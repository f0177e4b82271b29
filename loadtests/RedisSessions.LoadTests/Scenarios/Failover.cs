namespace RedisSessions.LoadTests.Scenarios;

/// <summary>Visitors of three instances whose Redis dies in the middle; sentinels name another primary, and what was acknowledged is there.</summary>
internal sealed class Failover(int sessions, TimeProvider time) : Browse(sessions)
{
    // A second until the sentinels call it dead, their vote, and the reconnecting of the clients.
    private readonly Outage _outage = new(time, TimeSpan.FromSeconds(15));

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
        return Target.KillPrimaryAsync();
    }

    public override async Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken) =>
        [.. await base.VerifyAsync(cancellationToken), _outage.Verify("the primary")];
}
