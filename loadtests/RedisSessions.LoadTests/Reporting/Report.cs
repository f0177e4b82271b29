namespace RedisSessions.LoadTests.Reporting;

/// <summary>A table of a report. The first column is text, the others are figures.</summary>
internal sealed record ReportTable(string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>A picture of a report.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Svg">The picture itself.</param>
internal sealed record ReportPlot(string Title, string Svg);

/// <summary>What a run came to, for people: in the console, as Markdown and as HTML.</summary>
/// <param name="Title">What was run.</param>
/// <param name="Facts">How it was run: settings, machine.</param>
/// <param name="Tables">Figures.</param>
/// <param name="Plots">Pictures.</param>
/// <param name="Promises">What had to hold.</param>
internal sealed record Report(
    string Title, IReadOnlyList<string> Facts, IReadOnlyList<ReportTable> Tables, IReadOnlyList<ReportPlot> Plots, IReadOnlyList<Promise> Promises)
{
    public bool AllKept => Promises.All(promise => promise.IsKept);

    /// <summary>The promises as one more table.</summary>
    public ReportTable PromiseTable => new("Promises", ["promise", "seen", ""], [.. Promises.Select(promise => (string[])[promise.Text, promise.Seen, promise.Verdict])]);
}
