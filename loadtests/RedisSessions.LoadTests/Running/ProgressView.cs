using System.Globalization;
using Spectre.Console;

namespace RedisSessions.LoadTests.Running;

/// <summary>Shows a run as it goes on: a table that changes in a terminal, a line now and then where the output goes elsewhere.</summary>
internal sealed class ProgressView(IAnsiConsole console, TimeProvider time, string name, TimeSpan duration)
{
    private const int PlainLines = 5;
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(500);

    /// <summary>Until the token says that the run is over.</summary>
    public Task WatchAsync(RunRecord record, CancellationToken over) => console.Profile.Capabilities.Interactive
        ? console.Live(View(record.Progress(duration))).StartAsync(live => EveryAsync(Refresh, progress =>
        {
            live.UpdateTarget(View(progress));
            live.Refresh();
        }, record, over))
        : EveryAsync(duration / PlainLines, progress => console.WriteLine(Line(progress)), record, over);

    private async Task EveryAsync(TimeSpan interval, Action<RunProgress> show, RunRecord record, CancellationToken over)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(over))
                show(record.Progress(duration));
        }
        catch (OperationCanceledException)
        {
            show(record.Progress(duration));
        }
    }

    private string Line(RunProgress progress) => string.Create(CultureInfo.InvariantCulture,
        $"{name} {progress.Elapsed.TotalSeconds:F1} s of {duration.TotalSeconds:0.#} s: {progress.Steps} steps, {progress.LastSecond} a second, p50 {progress.Median:F2} ms, p99 {progress.Percentile99:F2} ms, {progress.Failed} failed");

    private Table View(RunProgress progress)
    {
        var table = new Table { Title = new TableTitle(name) };
        table.AddColumns("time", "steps", "a second", "p50 ms", "p99 ms", "failed");
        table.AddRow(
            string.Create(CultureInfo.InvariantCulture, $"{progress.Elapsed.TotalSeconds:F0} / {duration.TotalSeconds:F0} s"),
            progress.Steps.ToString("N0", CultureInfo.InvariantCulture), progress.LastSecond.ToString("N0", CultureInfo.InvariantCulture),
            progress.Median.ToString("F2", CultureInfo.InvariantCulture), progress.Percentile99.ToString("F2", CultureInfo.InvariantCulture),
            progress.Failed > 0 ? $"[red]{progress.Failed}[/]" : "0");
        return table;
    }
}
