using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using RedisSessions.LoadTests.Compare;
using RedisSessions.LoadTests.Reporting;
using Spectre.Console;

namespace RedisSessions.LoadTests;

/// <summary>The commands of this program. Exit codes: 0 all promises kept, 1 one broken, 2 what was asked for cannot be run.</summary>
internal static class CommandLine
{
    public const int Kept = 0, Broken = 1, Usage = 2;

    public static async Task<int> RunAsync(string[] arguments, TextWriter? output = null)
    {
        var errors = output ?? Console.Error;
        var parsed = Root(output).Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await errors.WriteLineAsync(error.Message);
            await errors.WriteLineAsync("--help lists the scenarios and their options.");
            return Usage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = output ?? Console.Out, Error = errors });
        }
        catch (UsageException e)
        {
            await errors.WriteLineAsync(e.Message);
            return Usage;
        }
    }

    private static RootCommand Root(TextWriter? output) => new("Load tests of RedisSessions.") { Compare(output) };

    private static Command Compare(TextWriter? output)
    {
        var rounds = new Option<int>("--rounds") { Description = "How often every subject has its turn.", DefaultValueFactory = _ => 5 };
        rounds.Validators.Add(AtLeastOne);
        var duration = Duration("--duration", "How long a turn lasts.", TimeSpan.FromSeconds(3));
        var warmUp = Duration("--warm-up", "How long each subject runs each route before anything counts.", TimeSpan.FromSeconds(4));
        var near = new Option<bool>("--near-cache") { Description = "Adds RedisSessions with its near cache on (Sessions:NearCache:MaxStaleness 5 s)." };
        var folder = Folder();
        var command = new Command("compare", "RedisSessions, the framework's own session and the floor over one Redis, in turns; ratios, and the updates that each loses.") { rounds, duration, warmUp, near, folder };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var console = ReportConsole.Create(output);
            var settings = new ComparisonSettings(
                parsed.GetValue(rounds), parsed.GetValue(duration), parsed.GetValue(warmUp), Sessions: 200, Connections: 32,
                parsed.GetValue(near) ? TimeSpan.FromSeconds(5) : null);
            await using var comparison = await Comparison.StartAsync(settings, cancellationToken);
            var result = await comparison.RunAsync(console.WriteLine, cancellationToken);
            var report = ComparisonReport.Of(result);
            ReportConsole.Write(console, report);
            var target = parsed.GetValue(folder)!;
            await ReportWriter.WriteAsync(report, target, cancellationToken);
            console.WriteLine($"Report: {Path.Combine(target, "report.html")}");
            return report.AllKept ? Kept : Broken;
        });
        return command;
    }

    private static Option<string> Folder() => new("--output")
    {
        Description = "The folder for the report.",
        DefaultValueFactory = _ => Path.Combine("loadtests", "reports", TimeProvider.System.GetLocalNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)),
    };

    private static Option<TimeSpan> Duration(string name, string description, TimeSpan fallback) => new(name)
    {
        Description = $"{description} 500ms, 30s, 2m or 00:00:30.",
        DefaultValueFactory = _ => fallback,
        CustomParser = static result =>
        {
            var text = result.Tokens.Single().Value;
            if (LoadTests.Duration.TryParse(text, out var duration))
                return duration;
            result.AddError($"\"{text}\" is no duration: 500ms, 30s, 2m or 00:00:30.");
            return default;
        },
    };

    private static void AtLeastOne(OptionResult result)
    {
        if (result.GetValueOrDefault<int>() < 1)
            result.AddError($"{result.Option.Name} must be at least 1.");
    }
}
