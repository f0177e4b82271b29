using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Known;
using RedisSessions.Consistency.Scripts;
using RedisSessions.Consistency.Simulation;

namespace RedisSessions.Consistency.Commands;

/// <summary>What the program does with the simulation: <c>run</c>, <c>replay</c>, <c>holes</c>, <c>list</c>.</summary>
internal sealed class SimulationCommands(TextWriter output)
{
    private const int Fine = 0, Found = 1, Usage = 2;

    public const string Help = """
        run [--scenario NAME | clean] [--seed S] [--count N | --minutes M]   until one breaks a promise
            [--finding CODE]                                                or at the first of one kind, known or not
        replay --scenario NAME --seed S [--trace]                           one seed again
        replay --file SCRIPT.json [--trace]                                 a script again, as run prints it
        holes [--hole LETTER] [--minutes M] [--keep DIR]                    looks for each known hole from seed 1 on, and prints a table
        survey [--scenario NAME | clean] [--count N]                        what so many seeds of each scenario find, by finding
        guards [--count N]                                                  plants bugs in the store, which must be found
        digest [--count N]                                                  a hash of all histories, the same in every process
        list                                                                the scenarios and the known holes
        """;

    public int Run(ReadOnlySpan<string> args) => args switch
    {
        ["run", .. var rest] => Run(Arguments.Parse(rest, "scenario", "seed", "count", "minutes", "finding")),
        ["replay", .. var rest] => Replay(Arguments.Parse(rest, "scenario", "seed", "file", "trace")),
        ["holes", .. var rest] => Holes(Arguments.Parse(rest, "hole", "minutes", "keep")),
        ["survey", .. var rest] => Survey(Arguments.Parse(rest, "scenario", "count")),
        ["guards", .. var rest] => FindPlanted(Arguments.Parse(rest, "count")),
        ["digest", .. var rest] => Digest(Arguments.Parse(rest, "count")),
        ["list"] => List(),
        _ => Explain(),
    };

    private int Run(Arguments? arguments)
    {
        if (arguments is null || Chosen(arguments.Text("scenario")) is not { Count: > 0 } scenarios)
            return Explain();
        var first = (long)arguments.Number("seed", 1);
        var code = arguments.Text("finding");
        var minutes = arguments.Number("minutes", 0);
        var count = (long)arguments.Number("count", minutes > 0 ? long.MaxValue : arguments.Has("seed") ? 1 : 200);
        var limit = minutes > 0 ? TimeSpan.FromMinutes(minutes) : TimeSpan.MaxValue;
        var (started, requests, seeds, undecided) = (Stopwatch.GetTimestamp(), 0L, 0L, 0L);
        for (; seeds < count && Stopwatch.GetElapsedTime(started) < limit; seeds++)
        {
            foreach (var scenario in scenarios)
            {
                var outcome = Simulator.Run(scenario.Plan(first + seeds), scenario);
                requests += outcome.History.Observations.Count;
                undecided += outcome.Findings.Any(finding => finding.Code == Codes.Undecided) ? 1 : 0;
                var news = outcome.Findings.Where(finding =>
                    code is null ? finding.Code != Codes.Undecided && !KnownHoles.Excuse(outcome, finding) : finding.Code == code).ToList();
                if (news.Count > 0)
                    return Report(outcome, scenario, news[0].Code, code is not null);
            }
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{seeds} seeds of {scenarios.Count} scenarios, {requests} requests in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s: "
            + $"no promise is broken, {undecided} runs undecided"));
        return Fine;
    }

    private int Replay(Arguments? arguments)
    {
        if (arguments is null || ScriptOf(arguments) is not { } script || Scenarios.Find(script.Scenario) is not { } scenario)
            return Explain();
        var outcome = Simulator.Run(script, scenario, arguments.Has("trace"));
        foreach (var line in outcome.Trace)
            output.WriteLine(line);
        if (arguments.Has("trace"))
            WriteRequests(outcome);
        WriteFindings(outcome);
        return outcome.Findings.Count == 0 ? Fine : Found;
    }

    private int Holes(Arguments? arguments)
    {
        var only = arguments?.Text("hole");
        if (arguments is null || (only is not null && KnownHoles.All.All(hole => hole.Letter != only)))
            return Explain();
        var limit = TimeSpan.FromMinutes(arguments.Number("minutes", 10));
        output.WriteLine("| hole | scenario | finding | kept script | first seed that finds it | seconds | requests a run |");
        output.WriteLine("| --- | --- | --- | --- | ---: | ---: | ---: |");
        var closed = 0;
        foreach (var hole in KnownHoles.All.Where(hole => only is null || hole.Letter == only))
        {
            var kept = hole.Script is { } script && Explains(hole, Simulator.Run(script, hole.Scenario));
            var found = Hunt.ForFirst(hole.Scenario, 1, long.MaxValue, limit, hole.Explains);
            if (found.Result is { } run && arguments.Text("keep") is { } folder)
                Keep(hole, run, found.Findings[0].Code, folder);
            closed += kept || found.Result is not null ? 0 : 1;
            var seed = found.Result?.Script.Seed.ToString(CultureInfo.InvariantCulture) ?? $"none of {found.Tried}";
            var code = found.Result is null ? "" : found.Findings[0].Code;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {hole.Letter} | {hole.Scenario.Name} | {code} | {(kept ? "finds it" : "does not")} | {seed} "
                + $"| {found.Elapsed.TotalSeconds:F2} "
                + $"| {found.Result?.History.Observations.Count} |"));
        }

        return closed == 0 ? Fine : Found;
    }

    private static void Keep(KnownHole hole, RunResult run, string code, string folder)
    {
        var script = ScriptShrinker.Shrink(
            run.Script, hole.Scenario, (smaller, finding) => finding.Code == code && hole.Explains(smaller, finding));
        File.WriteAllText(Path.Combine(folder, $"hole-{hole.Letter}.json"), JsonSerializer.Serialize(script, Json.Options) + "\n");
    }

    private static bool Explains(KnownHole hole, RunResult outcome) => outcome.Findings.Any(finding => hole.Explains(outcome, finding));

    private int Survey(Arguments? arguments)
    {
        if (arguments is null || Chosen(arguments.Text("scenario")) is not { Count: > 0 } scenarios)
            return Explain();
        foreach (var scenario in scenarios)
        {
            var counts = new SortedDictionary<string, (int Count, long First, Finding Finding)>(StringComparer.Ordinal);
            for (var seed = 1L; seed <= (long)arguments.Number("count", 200); seed++)
            {
                var outcome = Simulator.Run(scenario.Plan(seed), scenario);
                foreach (var finding in outcome.Findings.DistinctBy(finding => finding.Code))
                {
                    var known = KnownHoles.Of(outcome, finding) is { } hole ? $", hole {hole.Letter}" : "";
                    var (count, first, example) = counts.GetValueOrDefault(finding.Code + known, (0, seed, finding));
                    counts[finding.Code + known] = (count + 1, first, example);
                }
            }

            output.WriteLine(counts.Count == 0 ? $"{scenario.Name}: nothing" : $"{scenario.Name}:");
            foreach (var (code, (count, first, finding)) in counts)
                output.WriteLine($"    {code}: {count} seeds, the first is {first}: {finding.Explanation}");
        }

        return Fine;
    }

    private int FindPlanted(Arguments? arguments)
    {
        if (arguments is null)
            return Explain();
        var missed = 0;
        foreach (var guard in Guards.All)
        {
            var found = Hunt.ForFirst(guard, 1, (long)arguments.Number("count", 400), TimeSpan.MaxValue, static (_, _) => true);
            missed += found.Result is null ? 1 : 0;
            var code = found.Result is null ? "NOT FOUND" : found.Findings[0].Code;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{guard.Bug,-24} {code,-24} {found.Tried} seeds, {found.Elapsed.TotalSeconds:F2} s"));
        }

        return missed == 0 ? Fine : Found;
    }

    /// <summary>Runs each seed twice, and compares byte for byte.</summary>
    private int Digest(Arguments? arguments)
    {
        if (arguments is null)
            return Explain();
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var scenario in Scenarios.All)
        {
            for (var seed = 1L; seed <= (long)arguments.Number("count", 20); seed++)
            {
                var bytes = Bytes(scenario, seed);
                all.AppendData(bytes);
                if (bytes.AsSpan().SequenceEqual(Bytes(scenario, seed)))
                    continue;
                output.WriteLine($"{scenario.Name}, seed {seed}, is not the same history twice");
                return Found;
            }
        }

        output.WriteLine(Convert.ToHexStringLower(all.GetHashAndReset()));
        return Fine;
    }

    private static byte[] Bytes(Scenario scenario, long seed)
    {
        var outcome = Simulator.Run(scenario.Plan(seed), scenario, traced: true);
        var trace = Encoding.UTF8.GetBytes(string.Join('\n', outcome.Trace));
        return [.. JsonSerializer.SerializeToUtf8Bytes(outcome.History, Json.Options), .. trace];
    }

    private int List()
    {
        foreach (var scenario in Scenarios.All)
            output.WriteLine($"{scenario.Name,-18} {scenario.About}");
        output.WriteLine();
        foreach (var hole in KnownHoles.All)
            output.WriteLine($"{hole.Letter,-4} {hole.Scenario.Name,-16} {hole.Codes[0],-24} {hole.About}");
        return Fine;
    }

    /// <summary>Prints what was found, a script that is as small as it gets, and what happens in it.</summary>
    private int Report(RunResult outcome, Scenario scenario, string code, bool isAnyWanted)
    {
        output.WriteLine($"{scenario.Name}, seed {outcome.Script.Seed}:");
        WriteFindings(outcome);
        var shrunk = ScriptShrinker.Shrink(
            outcome.Script, scenario, (run, finding) => finding.Code == code && (isAnyWanted || !KnownHoles.Excuse(run, finding)));
        var again = Simulator.Run(shrunk, scenario, traced: true);
        output.WriteLine($"Shrunk from {outcome.Script.Requests.Count} requests to {shrunk.Requests.Count}:");
        foreach (var line in again.Trace)
            output.WriteLine(line);
        WriteRequests(again);
        WriteFindings(again);
        output.WriteLine("As a file for replay --file:");
        output.WriteLine(JsonSerializer.Serialize(shrunk, Json.Options));
        return Found;
    }

    private void WriteFindings(RunResult outcome)
    {
        foreach (var finding in outcome.Findings)
        {
            var excuse = KnownHoles.Of(outcome, finding) is { } hole ? $"known, hole {hole.Letter}: " : "";
            output.WriteLine($"{excuse}{finding}");
        }
    }

    private void WriteRequests(RunResult outcome)
    {
        foreach (var seen in outcome.History.Observations)
        {
            output.WriteLine($"{seen.Request.Id}, browser {seen.Browser}, process {seen.Process}, cookie {seen.Cookie}, "
                + $"{seen.Began}..{seen.Ended}, new {seen.WasNew}, {seen.Answer} {seen.NewCookie}");
            foreach (var segment in seen.Segments)
                output.WriteLine($"    {JsonSerializer.Serialize(segment, Json.Options)}");
        }
    }

    private static IReadOnlyList<Scenario> Chosen(string? name) => name switch
    {
        null => Scenarios.All,
        "clean" => Scenarios.Clean,
        _ => Scenarios.Find(name) is { } scenario ? [scenario] : [],
    };

    private static Script? ScriptOf(Arguments arguments) =>
        arguments.Text("file") is { } file ? JsonSerializer.Deserialize<Script>(File.ReadAllText(file), Json.Options)
        : Scenarios.Find(arguments.Text("scenario") ?? "")?.Plan((long)arguments.Number("seed", 1));

    private int Explain()
    {
        output.WriteLine(Help);
        return Usage;
    }
}
