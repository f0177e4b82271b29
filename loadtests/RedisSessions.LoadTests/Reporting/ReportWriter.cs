using System.Globalization;
using System.Net;
using System.Text;

namespace RedisSessions.LoadTests.Reporting;

/// <summary>A report as files: <c>report.md</c> and <c>report.html</c>, and the pictures beside them.</summary>
internal static class ReportWriter
{
    private const string Style = """
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
        table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-variant-numeric: tabular-nums; }
        th, td { padding: .25rem .75rem; border-bottom: 1px solid #d8dee4; text-align: right; }
        th:first-child, td:first-child { text-align: left; }
        .broken { color: #b42318; font-weight: 600; }
        figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
        """;

    /// <summary>Writes all of it.</summary>
    /// <param name="report">The report.</param>
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task WriteAsync(Report report, string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        for (var i = 0; i < report.Plots.Count; i++)
            await File.WriteAllTextAsync(Path.Combine(folder, PlotFile(i)), report.Plots[i].Svg, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "report.md"), Markdown(report), cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "report.html"), Html(report), cancellationToken);
    }

    public static string Markdown(Report report)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"# {report.Title}\n\n");
        foreach (var fact in report.Facts)
            text.Append(CultureInfo.InvariantCulture, $"- {fact}\n");
        foreach (var table in Tables(report))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {table.Title}\n\n| {string.Join(" | ", table.Columns)} |\n");
            text.Append(CultureInfo.InvariantCulture, $"| --- |{string.Concat(Enumerable.Repeat(" ---: |", table.Columns.Count - 1))}\n");
            foreach (var row in table.Rows)
                text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |\n");
        }

        for (var i = 0; i < report.Plots.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"\n## {report.Plots[i].Title}\n\n![{report.Plots[i].Title}]({PlotFile(i)})\n");
        return text.ToString();
    }

    public static string Html(Report report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{Escaped(report.Title)}</title><style>\n{Style}\n</style></head><body>\n");
        text.Append(CultureInfo.InvariantCulture, $"<h1>{Escaped(report.Title)}</h1>\n<ul>\n");
        foreach (var fact in report.Facts)
            text.Append(CultureInfo.InvariantCulture, $"<li>{Escaped(fact)}</li>\n");
        text.Append("</ul>\n");
        foreach (var table in Tables(report))
        {
            text.Append(CultureInfo.InvariantCulture, $"<h2>{Escaped(table.Title)}</h2>\n<table>\n<tr>{string.Concat(table.Columns.Select(column => $"<th>{Escaped(column)}</th>"))}</tr>\n");
            foreach (var row in table.Rows)
                text.Append(CultureInfo.InvariantCulture, $"<tr>{string.Concat(row.Select(cell => $"<td{(cell == "BROKEN" ? " class=\"broken\"" : "")}>{Escaped(cell)}</td>"))}</tr>\n");
            text.Append("</table>\n");
        }

        foreach (var plot in report.Plots)
            text.Append(CultureInfo.InvariantCulture, $"<h2>{Escaped(plot.Title)}</h2>\n<figure>{plot.Svg[plot.Svg.IndexOf("<svg", StringComparison.Ordinal)..]}</figure>\n");
        return text.Append("</body></html>\n").ToString();
    }

    private static IEnumerable<ReportTable> Tables(Report report) => report.Promises.Count > 0 ? report.Tables.Append(report.PromiseTable) : report.Tables;

    private static string PlotFile(int index) => string.Create(CultureInfo.InvariantCulture, $"plot-{index + 1}.svg");

    private static string Escaped(string text) => WebUtility.HtmlEncode(text);
}
