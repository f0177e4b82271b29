using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http;

/// <summary>The command <c>http</c>: runs over HTTP, round after round from successive seeds, and prints what is found.</summary>
internal static class HttpCommand
{
    public const string Usage =
        "http --store NAME|--all|--hole LETTER|--holes [--seed N] [--minutes M] [--processes P] [--profile all|clean] [--out FOLDER]\n"
        + "  stores: redis garnet file sqlite postgres mariadb near touch last-write-wins clocks memory rollback replicas sentinel sentinel-replicas\n"
        + "          readthrough-file-redis readthrough-redis-file readthrough-redis-sqlite readthrough-redis-postgres readthrough-mariadb-redis";

    // A history of this length is judged within seconds, and a failover with its roll-back has room in it.
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(20);

    /// <summary>Runs it.</summary>
    /// <param name="arguments">What follows <c>http</c>.</param>
    /// <param name="output">Where findings are printed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>0 when nothing was found, 1 when something was, 2 when the arguments make no sense.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, CancellationToken cancellationToken)
    {
        if (HttpArguments.TryParse(arguments) is not { } parsed)
        {
            await output.WriteLineAsync(Usage);
            return 2;
        }

        if (parsed.Holes.Count > 0)
            return await FindHolesAsync(parsed, output, cancellationToken);
        var found = 0;
        foreach (var environment in parsed.Environments)
            found += await RunAsync(environment, parsed, output, cancellationToken);
        return found == 0 ? 0 : 1;
    }

    /// <summary>Writes a whole history to a file, and gives the file.</summary>
    public static async Task<string> KeepAsync(RunHistory history, string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{history.Name.Replace(' ', '-')}-{history.Seed}.json"));
        await File.WriteAllBytesAsync(file, JsonSerializer.SerializeToUtf8Bytes(history, Json.Options), cancellationToken);
        return file;
    }

    private static async Task<int> RunAsync(EnvironmentPlan environment, HttpArguments arguments, TextWriter output, CancellationToken cancellationToken)
    {
        var (started, found, requests) = (Stopwatch.GetTimestamp(), 0, 0);
        for (var seed = arguments.Seed; Stopwatch.GetElapsedTime(started) < arguments.Length; seed++)
        {
            var plan = new HttpPlan(environment, seed, Round) { Processes = arguments.Processes };
            if (arguments.IsClean)
                plan = plan with { Profile = HttpProfiles.Clean, Takes = HttpProfiles.IsClean };
            if (await HttpRun.RunAsync(plan, cancellationToken) is not { } history)
            {
                await output.WriteLineAsync($"{environment.Name}: skipped, this machine has not got what it needs.");
                return 0;
            }

            requests += history.Observations.Count;
            var findings = Judge.Check(history);
            if (findings.Count > 0)
                await ReportAsync(history, findings, Stopwatch.GetElapsedTime(started), arguments.Folder, output, cancellationToken);
            found += findings.Count;
        }

        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{environment.Name}: {requests} requests in {Stopwatch.GetElapsedTime(started).TotalMinutes:F1} min, {found} findings."));
        return found;
    }

    /// <summary>Looks for each known hole from successive seeds: from which one it is found, and after how long.</summary>
    private static async Task<int> FindHolesAsync(HttpArguments arguments, TextWriter output, CancellationToken cancellationToken)
    {
        var missing = 0;
        foreach (var hole in arguments.Holes)
        {
            var (started, seed) = (Stopwatch.GetTimestamp(), arguments.Seed);
            Finding? finding = null;
            for (; finding is null && Stopwatch.GetElapsedTime(started) < arguments.Length; seed++)
            {
                var found = await hole.FindAsync(seed, cancellationToken);
                finding = found?.Findings.FirstOrDefault(finding => finding.Code == hole.Code);
                if (found is not null)
                    await KeepAsync(found.History, arguments.Folder, cancellationToken);
            }

            missing += finding is null ? 1 : 0;
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{hole.Letter}: {(finding is null ? "not found" : $"seed {seed - 1}")}, {Stopwatch.GetElapsedTime(started).TotalMinutes:F2} min. {finding}"));
        }

        return missing == 0 ? 0 : 1;
    }

    /// <summary>A run over HTTP cannot be repeated exactly, so the history is kept with the seed.</summary>
    private static async Task ReportAsync(
        RunHistory history, IReadOnlyList<Finding> findings, TimeSpan after, string folder, TextWriter output, CancellationToken cancellationToken)
    {
        var file = await KeepAsync(history, folder, cancellationToken);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{history.Name}, seed {history.Seed}, after {after.TotalMinutes:F1} min: {findings.Count} findings; the history is in {file}"));
        foreach (var finding in findings)
            await output.WriteLineAsync($"  {finding}");
    }
}
