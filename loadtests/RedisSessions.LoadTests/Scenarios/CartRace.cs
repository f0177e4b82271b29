using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>A visitor's page sends eight requests at once, and each of them puts something into the cart. What a session without conflicts loses.</summary>
internal sealed class CartRace(int sessions) : IScenario
{
    private const int AtOnce = 8;
    private ITarget? _target;
    private Ledger? _ledger;
    private uint _next;

    public async Task PrepareAsync(ITarget target, CancellationToken cancellationToken)
    {
        _target = target;
        _ledger = new Ledger(await target.Site.SeedAsync(sessions, cancellationToken));
    }

    public async ValueTask<StepOutcome> StepAsync(CancellationToken cancellationToken)
    {
        var session = (int)(Interlocked.Increment(ref _next) % (uint)_ledger!.Sessions);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => _ledger.IncrementAsync(_target!.Site, session, cancellationToken).AsTask()));
        return Array.Find(outcomes, outcome => !outcome.IsOk);
    }

    public Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken) => _ledger!.VerifyAsync(_target!.Site, cancellationToken);
}
