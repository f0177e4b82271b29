using System.Globalization;
using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>
/// Everybody counts in one session, through all instances. Afterwards, in quiet, the same a hundred at a time: all must succeed, the last one soon, and at few
/// commands for Redis. Beside it a hundred at a time in as many sessions, which nothing but the machine holds up: where those alone take longer than they should,
/// meeting in one session is to cost no more than that once again.
/// </summary>
internal sealed class HotSession(TimeProvider time) : IScenario
{
    public const int AtOnce = 100, Bursts = 11, Alone = 51;
    public const double MostTimesAlone = 20, MostTimesApart = 2, MostCommands = 3;
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
        // The first burst opens the connections and does not count.
        await BurstAsync(together: true, cancellationToken);
        var (failed, lasts, aparts, alones) = (0, new List<double>(), new List<double>(), new List<double>());
        long commands = 0;
        for (var burst = 0; burst < Bursts; burst++)
        {
            alones.Add(await AloneAsync(cancellationToken));
            aparts.Add((await BurstAsync(together: false, cancellationToken)).Last);
            if (_target!.Redis is { } redis)
                await redis.ResetAsync();
            var (last, failures) = await BurstAsync(together: true, cancellationToken);
            if (_target.Redis is { } counted)
                commands += RedisCounters.Sent(await counted.CallsAsync());
            failed += failures;
            lasts.Add(last);
        }

        var (toAlone, toApart) = (Ratios(lasts, alones), Ratios(lasts, aparts));
        var promises = new List<Promise>
        {
            new($"{AtOnce} increments at once through {_target!.Site.Instances} instances all succeed", $"{failed} of {AtOnce * Bursts} failed", failed == 0),
            new(string.Create(CultureInfo.InvariantCulture, $"the last of them within {MostTimesAlone} x the time of one alone, or {MostTimesApart} x that of as many in a session each"),
                string.Create(CultureInfo.InvariantCulture,
                    $"{Spread(toAlone)} of one alone, {Spread(toApart)} of a session each: {Median(lasts):F1} ms, one alone {Median(alones):F2} ms, a session each {Median(aparts):F1} ms"),
                Median(toAlone) <= MostTimesAlone || Median(toApart) <= MostTimesApart),
        };
        if (_target.Redis is not null)
        {
            var each = commands / (double)Math.Max(1, AtOnce * Bursts - failed);
            promises.Add(new Promise($"at most {MostCommands} commands at Redis for each of them", each.ToString("F2", CultureInfo.InvariantCulture), each is > 0 and <= MostCommands));
        }

        return [.. promises, .. await _ledger!.VerifyAsync(_target.Site, cancellationToken)];
    }

    /// <summary>How long the last one takes in milliseconds, and how many fail.</summary>
    private async Task<(double Last, int Failed)> BurstAsync(bool together, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var outcomes = await Task.WhenAll(
            Enumerable.Range(1, AtOnce).Select(i => _ledger!.IncrementAsync(_target!.Site, together ? 0 : i, cancellationToken).AsTask()));
        return (time.GetElapsedTime(started).TotalMilliseconds, outcomes.Count(outcome => !outcome.IsOk));
    }

    /// <summary>How long one takes when nobody else asks, in milliseconds.</summary>
    private async Task<double> AloneAsync(CancellationToken cancellationToken)
    {
        var times = new List<double>();
        for (var i = 0; i < Alone; i++)
        {
            var started = time.GetTimestamp();
            await StepAsync(cancellationToken);
            times.Add(time.GetElapsedTime(started).TotalMilliseconds);
        }

        return Median(times);
    }

    private static List<double> Ratios(List<double> these, List<double> those) => [.. these.Zip(those, (one, other) => one / other)];

    private static string Spread(List<double> ratios) => string.Create(CultureInfo.InvariantCulture, $"{Median(ratios):F1} x ({ratios.Min():F1} to {ratios.Max():F1})");

    private static double Median(List<double> figures) => figures.Order().ElementAt(figures.Count / 2);
}
