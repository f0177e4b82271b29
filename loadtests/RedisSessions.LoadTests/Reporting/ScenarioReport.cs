using System.Globalization;
using System.Runtime.InteropServices;
using HdrHistogram;
using RedisSessions.LoadTests.Running;
using RedisSessions.LoadTests.Scenarios;

namespace RedisSessions.LoadTests.Reporting;

/// <summary>The report of a scenario.</summary>
internal static class ScenarioReport
{
    private static readonly double[] Percentiles = [50, 90, 99, 99.9];

    public static Report Of(
        ScenarioEntry entry, int instances, ScenarioSettings settings, bool mayFail, RunRecord record, IReadOnlyList<Promise> promises)
    {
        var (_, model, duration, warmUp, sessions, _, floor) = settings;
        var failed = record.Failures.Values.Sum();
        var load = model.Rate is { } rate
            ? Text($"open: {rate:0.##} steps a second, latency from the intended start, at most {model.Workers} on their way")
            : Text($"closed: {model.Workers} connections, each waits for its answer");
        return new Report(
            $"{entry.Name}: {entry.Description}",
            [
                load,
                Text($"{duration.TotalSeconds:0.#} s over {instances} instances{(floor ? " of the floor, not of RedisSessions" : "")}{(sessions > 0 ? Text($", {sessions} sessions") : "")}, after {warmUp.TotalSeconds:0.#} s to warm up"),
                $"{RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}",
            ],
            [
                new ReportTable("Steps", ["", "steps", "a second", .. Percentiles.Select(percentile => Text($"p{percentile:0.#} ms")), "longest ms", "failed"],
                [
                    [
                        entry.Name, Text($"{record.Steps:N0}"), Text($"{record.Steps / record.Elapsed.TotalSeconds:N0}"), .. Row(record.Latency), Text($"{failed:N0}"),
                    ],
                    // How late the generator itself was; what is large here is not the site's doing.
                    .. model.Rate is null ? (string[][])[] : [["begun after their time", "", "", .. Row(record.Lateness), ""]],
                ]),
                .. record.Failures.Count == 0 ? (ReportTable[])[] : [new ReportTable("Failures", ["", "steps"], [.. record.Failures.Select(failure => (string[])[failure.Key, Text($"{failure.Value:N0}")])])],
            ],
            record.Steps == 0 ? [] : [Plots.Percentiles(record.Latency), Plots.OverTime(record.Seconds)],
            [
                new Promise("steps were made", Text($"{record.Steps:N0}"), record.Steps > 0),
                .. mayFail ? (Promise[])[] : [new Promise("no step fails", Text($"{failed:N0} of {record.Steps:N0} failed"), failed == 0)],
                .. promises,
            ]);
    }

    private static IEnumerable<string> Row(LongHistogram histogram) =>
        Percentiles.Select(histogram.GetValueAtPercentile).Append(histogram.TotalCount == 0 ? 0 : histogram.GetMaxValue()).Select(microseconds => Text($"{microseconds / 1000.0:F2}"));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
