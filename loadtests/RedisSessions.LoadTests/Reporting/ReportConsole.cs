using Spectre.Console;

namespace RedisSessions.LoadTests.Reporting;

/// <summary>A report in the console.</summary>
internal static class ReportConsole
{
    // Where nobody looks at a terminal, lines are as long as the figures need.
    private const int PlainWidth = 180;

    /// <summary>The console of this process; in plain lines when its output goes elsewhere.</summary>
    public static IAnsiConsole Create(TextWriter? output = null)
    {
        var plain = output is not null || Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output ?? Console.Out),
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = plain ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (plain)
            console.Profile.Width = PlainWidth;
        return console;
    }

    public static void Write(IAnsiConsole console, Report report)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{report.Title}[/]");
        foreach (var fact in report.Facts)
            console.MarkupLineInterpolated($"[grey]{fact}[/]");
        foreach (var table in report.Tables)
            Write(console, table);
        if (report.Promises.Count > 0)
            Write(console, report.PromiseTable);
    }

    private static void Write(IAnsiConsole console, ReportTable table)
    {
        var view = new Table { Border = TableBorder.Ascii2 };
        for (var i = 0; i < table.Columns.Count; i++)
        {
            var column = new TableColumn(Markup.Escape(table.Columns[i]));
            view.AddColumn(i == 0 ? column : column.RightAligned());
        }

        foreach (var row in table.Rows)
            view.AddRow([.. row.Select(cell => new Text(cell, cell == "BROKEN" ? new Style(Color.Red) : Style.Plain))]);
        console.WriteLine();
        console.WriteLine(table.Title);
        console.Write(view);
    }
}
