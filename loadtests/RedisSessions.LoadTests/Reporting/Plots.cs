using System.Globalization;
using HdrHistogram;
using RedisSessions.LoadTests.Running;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace RedisSessions.LoadTests.Reporting;

/// <summary>The pictures of a report, as SVG.</summary>
internal static class Plots
{
    private const int Width = 900, Height = 360;

    /// <summary>Latency over percentile, with as much room for the last one in a thousand as for the first nine tenths.</summary>
    public static ReportPlot Percentiles(LongHistogram latency)
    {
        double[] marks = [0, 50, 90, 99, 99.9, 99.99];
        var (xs, ys) = (new List<double>(), new List<double>());
        // Each point halves what is left above it, as far as there are steps to speak of.
        for (var left = 1.0; left * latency.TotalCount >= 1; left /= 1.25)
        {
            xs.Add(Position(100 * (1 - left)));
            ys.Add(latency.GetValueAtPercentile(100 * (1 - left)) / 1000.0);
        }

        using var plot = New("percentile of steps", "ms");
        plot.Add.ScatterLine(xs.ToArray(), ys.ToArray()).LineWidth = 2;
        plot.Axes.Bottom.TickGenerator = new NumericManual([.. marks.Select(Position)], [.. marks.Select(mark => mark.ToString("0.##", CultureInfo.InvariantCulture))]);
        plot.Axes.SetLimitsY(0, Math.Max(0.001, ys.Max() * 1.05));
        return new ReportPlot("Latency by percentile", plot.GetSvgXml(Width, Height));
    }

    /// <summary>Steps in each second, and those of them that failed.</summary>
    public static ReportPlot OverTime(IReadOnlyList<RunRecord.Second> seconds)
    {
        // The last second is not a whole one, unless it is all there is.
        if (seconds.Count > 1)
            seconds = [.. seconds.SkipLast(1)];
        var xs = Enumerable.Range(0, seconds.Count).Select(second => (double)second).ToArray();
        using var plot = New("second of the run", "steps a second");
        var steps = plot.Add.ScatterLine(xs, [.. seconds.Select(second => (double)second.Steps)]);
        (steps.LineWidth, steps.LegendText) = (2, "steps");
        var failed = plot.Add.ScatterLine(xs, [.. seconds.Select(second => (double)second.Failed)]);
        (failed.LineWidth, failed.LegendText) = (2, "failed");
        var slow = plot.Add.ScatterLine(xs, [.. seconds.Select(second => second.Steps == 0 ? 0 : second.Latency.GetValueAtPercentile(99) / 1000.0)]);
        (slow.LineWidth, slow.LegendText, slow.Axes.YAxis) = (1, "p99 (right)", plot.Axes.Right);
        plot.Axes.Right.Label.Text = "ms";
        plot.Axes.SetLimitsY(0, 1.15 * seconds.Max(second => second.Steps));
        plot.Axes.SetLimitsY(0, 1.15 * Math.Max(0.001, slow.Data.GetScatterPoints().Max(point => point.Y)), plot.Axes.Right);
        plot.ShowLegend(Alignment.UpperRight, Orientation.Horizontal);
        return new ReportPlot("Throughput over time", plot.GetSvgXml(Width, Height));
    }

    private static Plot New(string x, string y)
    {
        var plot = new Plot();
        plot.XLabel(x);
        plot.YLabel(y);
        return plot;
    }

    private static double Position(double percentile) => -Math.Log10(Math.Max(1e-9, 1 - percentile / 100));
}
