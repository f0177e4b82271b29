using System.Globalization;
using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>Sessions of 100 KB, read and written in turn.</summary>
internal sealed class LargeSession(int sessions) : IScenario
{
    // As much of a value as a request line takes, as often as 100 KB need.
    private const int Values = 20, ValueLength = 5_120;
    private ITarget? _target;
    private Ledger? _ledger;

    public async Task PrepareAsync(ITarget target, CancellationToken cancellationToken)
    {
        _target = target;
        var cookies = await target.Site.SeedAsync(sessions, cancellationToken);
        await Http.Site.EachAsync(sessions, async session =>
        {
            for (var value = 0; value < Values; value++)
            {
                var text = new string((char)('a' + value), ValueLength);
                var answer = await target.Site.SendAsync(string.Create(CultureInfo.InvariantCulture, $"/set?key=document.part-{value}&val={text}"), cookies[session], cancellationToken);
                if (!answer.IsOk)
                    throw new InvalidOperationException($"A session of 100 KB cannot be made: {answer.Failure}.");
            }
        });
        _ledger = new Ledger(cookies);
    }

    public async ValueTask<StepOutcome> StepAsync(CancellationToken cancellationToken)
    {
        var session = Random.Shared.Next(_ledger!.Sessions);
        if (Random.Shared.Next(2) == 0)
            return await _ledger.IncrementAsync(_target!.Site, session, cancellationToken);
        var answer = await _target!.Site.SendAsync("/read", _ledger.Cookie(session), cancellationToken);
        return StepOutcome.Expect(answer, answer.Body.Length > 0);
    }

    public Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken) => _ledger!.VerifyAsync(_target!.Site, cancellationToken);
}
