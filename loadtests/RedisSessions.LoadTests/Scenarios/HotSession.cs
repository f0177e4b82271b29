using System.Globalization;
using RedisSessions.LoadTests.Http;
using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>
/// Everybody counts in one session, through all instances. Afterwards the same a hundred at a time: all must succeed, the last one soon, and at few commands for
/// Redis. What that is compared with is asked in the same way, of a farm that was as quiet before: one alone, and a hundred at a time in as many sessions, which
/// nothing but the machine holds up.
/// </summary>
internal sealed class HotSession(TimeProvider time) : IScenario
{
    public const int AtOnce = 100, Bursts = 21, Alone = 5;
    public const double MostTimesAlone = 20, MostTimesApart = 2, MostCommands = 3;

    private const int Untimed = 20, Row = 51;
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(10);
    private ITarget? _target;
    private Ledger? _ledger;

    public async Task PrepareAsync(ITarget target, CancellationToken cancellationToken)
    {
        _target = target;
        _ledger = new Ledger(await target.Site.SeedAsync(1 + AtOnce, cancellationToken));
    }

    public ValueTask<StepOutcome> StepAsync(CancellationToken cancellationToken) => _ledger!.IncrementAsync(_target!.Site, 0, cancellationToken);

    public async Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken)
    {
        using var burst = _target!.Site.OpenBurst(AtOnce);
        var together = new Crowd(burst, _ledger!, _ => 0, time);
        var apart = new Crowd(burst, _ledger!, static i => 1 + i, time);
        // The generator too has to be compiled, and the connections opened.
        for (var i = 0; i < Untimed; i++)
        {
            apart.Count(0, AtOnce);
            together.Count(0, AtOnce);
        }

        var (failed, lasts, aparts, alones, inARow) = (0, new List<double>(), new List<double>(), new List<double>(), new List<double>());
        long commands = 0;
        for (var round = 0; round < Bursts; round++)
        {
            inARow.Add(Median([.. Enumerable.Range(0, Row).Select(i => together.Count(i, 1).Last)]));
            var alone = new List<double>();
            for (var i = 0; i < Alone; i++)
                alone.Add((await QuietlyAsync(together, i, 1)).Last);
            alones.Add(Median(alone));
            aparts.Add((await QuietlyAsync(apart, 0, AtOnce)).Last);
            if (_target.Redis is { } redis)
                await redis.ResetAsync();
            var (last, failures) = await QuietlyAsync(together, 0, AtOnce);
            if (_target.Redis is { } counted)
                commands += RedisCounters.Sent(await counted.CallsAsync());
            failed += failures;
            lasts.Add(last);
        }

        var (toAlone, toRow, toApart) = (Ratios(lasts, alones), Ratios(lasts, inARow), Ratios(lasts, aparts));
        var promises = new List<Promise>
        {
            new($"{AtOnce} increments at once through {_target.Site.Instances} instances all succeed", $"{failed} of {AtOnce * Bursts} failed", failed == 0),
            new($"the last of them within {MostTimesAlone} x the time of one alone",
                string.Create(CultureInfo.InvariantCulture,
                    $"{Spread(toAlone)}: {Median(lasts):F1} ms, one alone {Median(alones):F2} ms; {Spread(toRow)} of one right after another, {Median(inARow):F2} ms"),
                Median(toAlone) <= MostTimesAlone),
            new($"the last of them within {MostTimesApart} x the time of as many in a session each",
                string.Create(CultureInfo.InvariantCulture, $"{Spread(toApart)}: a session each {Median(aparts):F1} ms"), Median(toApart) <= MostTimesApart),
        };
        if (_target.Redis is not null)
        {
            var each = commands / (double)Math.Max(1, AtOnce * Bursts - failed);
            promises.Add(new Promise($"at most {MostCommands} commands at Redis for each of them", each.ToString("F2", CultureInfo.InvariantCulture), each is > 0 and <= MostCommands));
        }

        return [.. promises, .. await _ledger!.VerifyAsync(_target.Site, cancellationToken)];

        // What came before has ended, and nobody waits for more any longer: so one finds a farm that has nothing to do, and so the hundred find it.
        async Task<(double Last, int Failed)> QuietlyAsync(Crowd crowd, int first, int size)
        {
            await Task.Delay(Quiet, time, cancellationToken);
            return crowd.Count(first, size);
        }
    }

    private static List<double> Ratios(List<double> these, List<double> those) => [.. these.Zip(those, (one, other) => one / other)];

    private static string Spread(List<double> ratios) => string.Create(CultureInfo.InvariantCulture, $"{Median(ratios):F1} x ({ratios.Min():F1} to {ratios.Max():F1})");

    private static double Median(List<double> figures) => figures.Order().ElementAt(figures.Count / 2);

    /// <summary>Some of a hundred visitors count at once.</summary>
    private sealed class Crowd(Burst burst, Ledger ledger, Func<int, int> session, TimeProvider time)
    {
        private readonly byte[][] _requests = burst.Requests(Ledger.Path, Enumerable.Range(0, AtOnce).Select(i => ledger.Cookie(session(i))));

        /// <summary>How long the last one takes in milliseconds, and how many fail.</summary>
        public (double Last, int Failed) Count(int first, int size)
        {
            var (last, answers) = burst.Send(_requests.AsSpan(first, size), first, time);
            return (last.TotalMilliseconds, answers.Where((answer, i) => !ledger.Take(session(first + i), answer).IsOk).Count());
        }
    }
}
