using RedisSessions.LoadTests.Http;
using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>Many visitors, each looking more than doing: nine reads for one write.</summary>
internal class Browse(int sessions) : IScenario
{
    private const int WriteEvery = 10;
    private const string User = "48151623";
    private ITarget? _target;
    private Ledger? _ledger;
    private int _loggedOut;

    protected Site Site => _target!.Site;

    protected ITarget Target => _target!;

    public virtual bool MayFail => false;

    public virtual async Task PrepareAsync(ITarget target, CancellationToken cancellationToken)
    {
        _target = target;
        _ledger = new Ledger(await Site.SeedAsync(sessions, cancellationToken));
    }

    public virtual async ValueTask<StepOutcome> StepAsync(CancellationToken cancellationToken)
    {
        var session = Random.Shared.Next(_ledger!.Sessions);
        if (Random.Shared.Next(WriteEvery) == 0)
            return await _ledger.IncrementAsync(Site, session, cancellationToken);
        var answer = await Site.SendAsync("/read", _ledger.Cookie(session), cancellationToken);
        if (answer.IsOk && answer.Body != User)
            Interlocked.Increment(ref _loggedOut);
        return StepOutcome.Expect(answer, answer.Body == User);
    }

    public virtual Task DisturbAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public virtual async Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken) =>
    [
        .. await _ledger!.VerifyAsync(Site, cancellationToken),
        new Promise("nobody is logged out", $"{_loggedOut} reads without their user", _loggedOut == 0),
    ];
}
