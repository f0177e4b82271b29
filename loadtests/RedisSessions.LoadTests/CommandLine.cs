using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using RedisSessions.LoadTests.Compare;
using RedisSessions.LoadTests.Http;
using RedisSessions.LoadTests.Reporting;
using RedisSessions.LoadTests.Running;
using RedisSessions.LoadTests.Scale;
using RedisSessions.LoadTests.Scenarios;
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

    private static RootCommand Root(TextWriter? output)
    {
        var root = new RootCommand("Load tests of RedisSessions. Exit codes: 0 all promises are kept, 1 one is broken, 2 it cannot be run so.") { Compare(output), Scale(output) };
        foreach (var entry in ScenarioCatalog.All(TimeProvider.System))
            root.Subcommands.Add(Scenario(entry, output));
        return root;
    }

    private static Command Scenario(ScenarioEntry entry, TextWriter? output)
    {
        var targets = new Option<Uri[]>("--target")
        {
            Description = "Servers that run already; otherwise three of our own are started over a redis-server of our own.",
            AllowMultipleArgumentsPerToken = true,
            CustomParser = static result => [.. result.Tokens.Select(token => Address(token.Value, result)).OfType<Uri>()],
        };
        var shop = new Option<bool>("--shop") { Description = "The targets are samples/WebFarm and not TargetApp; cart-race alone." };
        var floor = new Option<bool>("--floor")
        {
            Description = "Instead of RedisSessions the least that could be there: a GETEX and a SET by the same client. What the machine itself makes of a scenario; it loses updates.",
        };
        var rate = new Option<double?>("--rate") { Description = "Open model: so many steps begin in a second, and latency counts from when they should." };
        rate.Validators.Add(static result => Check(result, result.GetValueOrDefault<double?>() is null or > 0, "must be above 0."));
        var connections = new Option<int>("--connections") { Description = "Closed model: so many steps at a time.", DefaultValueFactory = _ => 32 };
        connections.Validators.Add(AtLeastOne);
        var duration = Duration("--duration", "How long steps begin.", TimeSpan.FromSeconds(10));
        var warmUp = Duration("--warm-up", "How long steps run before they are timed; 0 for not at all.", TimeSpan.FromSeconds(2), mayBeZero: true);
        var sessions = new Option<int>("--sessions") { Description = "How many sessions.", DefaultValueFactory = _ => entry.Sessions };
        sessions.Validators.Add(AtLeastOne);
        var folder = Folder();
        var command = new Command(entry.Name, entry.Description) { targets, shop, floor, rate, connections, duration, warmUp, folder };
        if (entry.Sessions > 0)
            command.Options.Add(sessions);
        command.Validators.Add(result =>
        {
            if (result.GetResult(rate) is not null && result.GetResult(connections) is { Implicit: false })
                result.AddError("--rate is an open model and --connections a closed one: give one of them.");
        });
        command.Validators.Add(result =>
        {
            if (result.GetValue(shop) && result.GetResult(targets) is null)
                result.AddError("--shop says what the targets are: give them with --target.");
            if (result.GetValue(floor) && result.GetResult(targets) is not null)
                result.AddError("--floor starts its own servers: leave --target out.");
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var console = ReportConsole.Create(output);
            var model = parsed.GetValue(rate) is { } perSecond ? LoadModel.Open(perSecond) : LoadModel.Closed(parsed.GetValue(connections));
            var settings = new ScenarioSettings(
                parsed.GetValue(targets) ?? [], model, parsed.GetValue(duration), parsed.GetValue(warmUp), entry.Sessions > 0 ? parsed.GetValue(sessions) : 0,
                parsed.GetValue(shop) ? Dialect.Shop : Dialect.TargetApp, parsed.GetValue(floor));
            var report = await new ScenarioRun(console, TimeProvider.System).RunAsync(entry, settings, cancellationToken);
            return await FinishAsync(console, report, parsed.GetValue(folder)!, cancellationToken);
        });
        return command;
    }

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
            return await FinishAsync(console, report, parsed.GetValue(folder)!, cancellationToken);
        });
        return command;
    }

    private static Command Scale(TextWriter? output)
    {
        var sessions = new Option<int>("--sessions") { Description = "How many sessions there are, instead of a thousand.", DefaultValueFactory = _ => 1_000_000 };
        sessions.Validators.Add(static result => Check(result, result.GetValueOrDefault<int>() >= ScaleRun.Few, $"must be at least {ScaleRun.Few}."));
        var rounds = new Option<int>("--rounds") { Description = "How often each of the two has its turn.", DefaultValueFactory = _ => 51 };
        rounds.Validators.Add(AtLeastOne);
        var duration = Duration("--duration", "How long a turn lasts.", TimeSpan.FromMilliseconds(500));
        var folder = Folder();
        var command = new Command("scale", "What a request costs with a thousand sessions in Redis and with a million, in turns; and bytes per session beside the framework's.") { sessions, rounds, duration, folder };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var console = ReportConsole.Create(output);
            var settings = new ScaleSettings(parsed.GetValue(sessions), parsed.GetValue(rounds), parsed.GetValue(duration));
            var report = await new ScaleRun(settings, console.WriteLine).RunAsync(cancellationToken);
            return await FinishAsync(console, report, parsed.GetValue(folder)!, cancellationToken);
        });
        return command;
    }

    private static async Task<int> FinishAsync(IAnsiConsole console, Report report, string folder, CancellationToken cancellationToken)
    {
        ReportConsole.Write(console, report);
        await ReportWriter.WriteAsync(report, folder, cancellationToken);
        console.WriteLine($"Report: {Path.Combine(folder, "report.html")}");
        foreach (var promise in report.Promises.Where(promise => !promise.IsKept))
            console.WriteLine($"BROKEN: {promise.Text}: {promise.Seen}");
        return report.AllKept ? Kept : Broken;
    }

    private static Uri? Address(string text, ArgumentResult result)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttp)
            return address;
        result.AddError($"\"{text}\" is no target: it must begin with http://, for what is measured is the site and not its TLS.");
        return null;
    }

    private static Option<string> Folder() => new("--output")
    {
        Description = "The folder for the report.",
        DefaultValueFactory = _ => Path.Combine("loadtests", "reports", TimeProvider.System.GetLocalNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)),
    };

    private static Option<TimeSpan> Duration(string name, string description, TimeSpan fallback, bool mayBeZero = false) => new(name)
    {
        Description = $"{description} 500ms, 30s, 2m or 00:00:30.",
        DefaultValueFactory = _ => fallback,
        CustomParser = result =>
        {
            var text = result.Tokens.Single().Value;
            if (LoadTests.Duration.TryParse(text, out var duration) && (duration > TimeSpan.Zero || mayBeZero))
                return duration;
            result.AddError($"\"{text}\" is no duration: 500ms, 30s, 2m or 00:00:30.");
            return default;
        },
    };

    private static void AtLeastOne(OptionResult result) => Check(result, result.GetValueOrDefault<int>() >= 1, "must be at least 1.");

    private static void Check(OptionResult result, bool isRight, string rule)
    {
        if (!isRight)
            result.AddError($"{result.Option.Name} {rule}");
    }
}
