using System.Globalization;
using System.Runtime.InteropServices;
using RedisSessions.LoadTests.Reporting;
using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Compare;

/// <summary>Ratios of a comparison, and the promises that rest on them.</summary>
internal static class ComparisonReport
{
    // What issue 6 asks for: the least that ours may do of the other's requests a second.
    private static readonly (string Subject, string Route, string Against, string AgainstRoute, double? Least)[] Ratios =
    [
        (Comparison.Ours, "/read", Comparison.FrameworkAsync, "/read", 2.2),
        (Comparison.Ours, "/set", Comparison.FrameworkAsync, "/set", 1.5),
        (Comparison.Ours, "/incr", Comparison.FrameworkAsync, "/incr", 1.5),
        (Comparison.Ours, "/read", Comparison.Framework, "/read", null),
        (Comparison.Ours, "/set", Comparison.Framework, "/set", null),
        (Comparison.Ours, "/incr", Comparison.Framework, "/incr", null),
        (Comparison.Ours, "/read", Comparison.Floor, "/read", 0.88),
        (Comparison.Ours, "/set", Comparison.Floor, "/set", 0.82),
        (Comparison.Ours, "/incr", Comparison.Floor, "/incr", null),
        (Comparison.Near, "/read", Comparison.Near, "/hello", 0.9),
        (Comparison.Near, "/set", Comparison.Ours, "/set", null),
        (Comparison.Floor, "/read", Comparison.FrameworkAsync, "/read", null),
        (Comparison.Floor, "/incr", Comparison.FrameworkAsync, "/incr", null),
    ];

    private const double MostProcessorPerRead = 0.5;

    public static Report Of(ComparisonResult result)
    {
        var settings = result.Settings;
        var slots = result.Rounds.SelectMany(round => round).ToList();
        var ratios = Ratios.Where(ratio => slots.Any(slot => slot.Is(ratio.Subject, ratio.Route)))
            .Select(ratio => (ratio, Seen: Ratio(result, ratio.Subject, ratio.Route, ratio.Against, ratio.AgainstRoute, slot => slot.Load.PerSecond))).ToList();
        var processor = Ratio(result, Comparison.Ours, "/read", Comparison.FrameworkAsync, "/read", slot => slot.PerRequest(slot.App));
        var groups = slots.GroupBy(slot => (slot.Route, slot.Subject)).OrderBy(group => group.Key.Route, StringComparer.Ordinal).ToList();
        var ours = slots.Where(slot => slot.Subject is Comparison.Ours or Comparison.Near).ToList();
        var wrong = ours.Sum(slot => slot.Load.Wrong);

        return new Report(
            "RedisSessions and its peers",
            [
                $"{settings.Rounds} rounds in turns of {settings.Duration.TotalSeconds:0.#} s, {settings.Sessions} sessions of 1 KB each, {settings.Connections} connections, over one Redis without persistence",
                $"{RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} cores for applications, Redis and load together, {RuntimeInformation.OSDescription}",
                "medians, and in parentheses the least and the most of the rounds; a ratio is one of turns of the same round",
            ],
            [
                new ReportTable("Ratios of requests a second", ["", "ratio", "promised", "lost updates", "lost by the other"],
                [
                    .. ratios.Select(row => (string[])
                    [
                        row.ratio.Subject == row.ratio.Against
                            ? $"{row.ratio.Subject}: {row.ratio.Route} : {row.ratio.AgainstRoute}"
                            : $"{row.ratio.Route}: {row.ratio.Subject} : {row.ratio.Against}",
                        row.Seen.ToString("F2"), row.ratio.Least is { } least ? string.Create(CultureInfo.InvariantCulture, $"at least {least:F2}") : "",
                        Lost(result, row.ratio.Subject), row.ratio.Subject == row.ratio.Against ? "" : Lost(result, row.ratio.Against),
                    ]),
                    [
                        $"processor per /read: {Comparison.Ours} : {Comparison.FrameworkAsync}", processor.ToString("F2"), $"at most {MostProcessorPerRead.ToString("F2", CultureInfo.InvariantCulture)}",
                        Lost(result, Comparison.Ours), Lost(result, Comparison.FrameworkAsync),
                    ],
                ]),
                new ReportTable("Turns", ["", "requests/s", "p50 ms", "p99 ms", "app µs/request", "Redis µs", "generator µs", "commands/request", "wrong answers"], [.. groups.Select(Row)]),
                new ReportTable("What Redis was asked per request", ["", "commands, those of scripts included"],
                    [.. groups.Select(group => (string[])[$"{group.Key.Route}: {group.Key.Subject}", Commands(group.Last())])]),
            ],
            [],
            [
                .. ratios.Where(row => row.ratio.Least is not null).Select(row => new Promise(
                    row.ratio.Subject == row.ratio.Against
                        ? string.Create(CultureInfo.InvariantCulture, $"{row.ratio.Route} of {row.ratio.Subject} at least {row.ratio.Least:F2} x its {row.ratio.AgainstRoute}")
                        : string.Create(CultureInfo.InvariantCulture, $"{row.ratio.Route} at least {row.ratio.Least:F2} x that of {row.ratio.Against}"),
                    row.Seen.ToString("F2"), row.Seen.Median >= row.ratio.Least)),
                new Promise($"at most half the processor of {Comparison.FrameworkAsync} per /read", processor.ToString("F2"), processor.Median <= MostProcessorPerRead),
                .. result.Races.Where(race => race.Key is Comparison.Ours or Comparison.Near).Select(race =>
                    new Promise($"{race.Key} loses no update", Lost(result, race.Key), race.Value is { Lost: 0, Acknowledged: > 0 })),
                new Promise($"every answer of {Comparison.Ours} is the right one", $"{wrong} wrong of {ours.Sum(slot => slot.Load.Answered) + wrong}", wrong == 0),
            ]);
    }

    private static Spread Ratio(ComparisonResult result, string subject, string route, string against, string againstRoute, Func<Slot, double> figure) =>
        Spread.Of(result.Rounds.Select(round => figure(round.Single(slot => slot.Is(subject, route))) / figure(round.Single(slot => slot.Is(against, againstRoute)))));

    private static string Lost(ComparisonResult result, string subject) => result.Races[subject] is var (lost, acknowledged) ? $"{lost} of {acknowledged}" : "";

    private static string[] Row(IGrouping<(string Route, string Subject), Slot> slots) =>
    [
        $"{slots.Key.Route}: {slots.Key.Subject}",
        Spread.Of(slots.Select(slot => slot.Load.PerSecond)).ToString("F0"),
        Spread.Of(slots.Select(slot => slot.Load.Latency.GetValueAtPercentile(50) / 1000.0)).Median.ToString("F2", CultureInfo.InvariantCulture),
        Spread.Of(slots.Select(slot => slot.Load.Latency.GetValueAtPercentile(99) / 1000.0)).Median.ToString("F2", CultureInfo.InvariantCulture),
        Spread.Of(slots.Select(slot => slot.PerRequest(slot.App))).ToString("F1"),
        Spread.Of(slots.Select(slot => slot.PerRequest(slot.Redis))).Median.ToString("F1", CultureInfo.InvariantCulture),
        Spread.Of(slots.Select(slot => slot.PerRequest(slot.Generator))).Median.ToString("F1", CultureInfo.InvariantCulture),
        Spread.Of(slots.Select(slot => RedisCounters.Sent(slot.Calls) / (double)slot.Load.Answered)).Median.ToString("F2", CultureInfo.InvariantCulture),
        slots.Sum(slot => slot.Load.Wrong).ToString(CultureInfo.InvariantCulture),
    ];

    private static string Commands(Slot slot) =>
        string.Join(", ", slot.Calls.Where(call => call.Value * 1000 > slot.Load.Answered).Select(call => string.Create(CultureInfo.InvariantCulture, $"{call.Key} {call.Value / (double)slot.Load.Answered:F2}")));
}
