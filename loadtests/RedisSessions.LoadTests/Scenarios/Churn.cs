using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>Sessions that come and go: made, read, destroyed, and gone.</summary>
internal sealed class Churn : IScenario
{
    private ITarget? _target;
    private int _destroyed, _returned;

    public Task PrepareAsync(ITarget target, CancellationToken cancellationToken)
    {
        _target = target;
        return Task.CompletedTask;
    }

    public async ValueTask<StepOutcome> StepAsync(CancellationToken cancellationToken)
    {
        var site = _target!.Site;
        var visit = await site.SendAsync("/seed", cookie: null, cancellationToken);
        if (visit is not { IsOk: true, Cookie: { Length: > 0 } cookie })
            return new StepOutcome(visit.Failure);
        var read = await site.SendAsync("/read", cookie, cancellationToken);
        if (!read.IsOk || read.Body.Length == 0)
            return new StepOutcome(read.Failure);
        var logout = await site.SendAsync("/logout", cookie, cancellationToken);
        if (!logout.IsOk)
            return new StepOutcome(logout.Failure);
        Interlocked.Increment(ref _destroyed);
        var after = await site.SendAsync("/read", cookie, cancellationToken);
        if (after is { IsOk: true, Body.Length: > 0 })
            Interlocked.Increment(ref _returned);
        return StepOutcome.Expect(after, after.Body.Length == 0);
    }

    public Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<Promise>>(
        [new Promise("no destroyed session returns", $"{_returned} of {_destroyed} did", _returned == 0 && _destroyed > 0)]);
}
