using System.Globalization;
using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>Everybody logs in at once: a session, a new id for it, and the old id is dead.</summary>
internal sealed class LoginStorm : IScenario
{
    private ITarget? _target;
    private int _user, _fixed, _alive, _logins;

    public Task PrepareAsync(ITarget target, CancellationToken cancellationToken)
    {
        _target = target;
        return Task.CompletedTask;
    }

    public async ValueTask<StepOutcome> StepAsync(CancellationToken cancellationToken)
    {
        var site = _target!.Site;
        var user = Interlocked.Increment(ref _user).ToString(CultureInfo.InvariantCulture);
        var visit = await site.SendAsync("/seed", cookie: null, cancellationToken);
        if (visit is not { IsOk: true, Cookie: { Length: > 0 } before })
            return new StepOutcome(visit.Failure);
        var login = await site.SendAsync($"/login?user={user}", before, cancellationToken);
        if (!login.IsOk)
            return new StepOutcome(login.Failure);
        Interlocked.Increment(ref _logins);
        if (login.Cookie is not { Length: > 0 } after || after == before)
        {
            Interlocked.Increment(ref _fixed);
            return new StepOutcome("the id stayed");
        }

        var old = await site.SendAsync("/read", before, cancellationToken);
        if (old is { IsOk: true, Body.Length: > 0 })
        {
            Interlocked.Increment(ref _alive);
            return new StepOutcome("the old id works");
        }

        var read = await site.SendAsync("/read", after, cancellationToken);
        return StepOutcome.Expect(read, read.Body == user);
    }

    public Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<Promise>>(
    [
        new Promise("every login changes the id", $"{_fixed} of {_logins} did not", _fixed == 0 && _logins > 0),
        new Promise("no id of before a login works after it", $"{_alive} of {_logins} did", _alive == 0),
    ]);
}
