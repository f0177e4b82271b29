using System.Diagnostics;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Http.Known;

namespace RedisSessions.Consistency.Http;

/// <summary>The command <c>http</c>: runs over HTTP, round after round from successive seeds, and prints what is found.</summary>
internal sealed class HttpCommand
{
    // A history of this length is judged within seconds, and a failover with its roll-back has room in it.
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(20);
    private readonly HttpArguments _arguments;
    private readonly TextWriter _output;
    private readonly CancellationToken _cancellationToken;

    private HttpCommand(HttpArguments arguments, TextWriter output, CancellationToken cancellationToken) =>
        (_arguments, _output, _cancellationToken) = (arguments, output, cancellationToken);

    private static string Usage =>
        "http --store NAME | --all | --hole LETTER | --holes\n"
        + "     [--seed N] [--minutes M, for each] [--processes P] [--profile all|clean] [--out FOLDER]\n"
        + $"  stores: {string.Join(' ', EnvironmentCatalog.All.Select(plan => plan.Name))}\n"
        + $"  holes: {string.Join(' ', HttpHoles.All.Select(hole => hole.Letter))}";

    /// <summary>Runs it.</summary>
    /// <param name="arguments">What follows <c>http</c>.</param>
    /// <param name="output">Where findings are printed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>
    /// 0 when every run was as promised and every known hole was found, 1 when not, 2 when the arguments make no sense.
    /// </returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, CancellationToken cancellationToken)
    {
        if (HttpArguments.TryParse(arguments) is not { } parsed)
        {
            await output.WriteLineAsync(Usage);
            return 2;
        }

        var command = new HttpCommand(parsed, output, cancellationToken);
        var isFine = true;
        foreach (var hole in parsed.Holes)
            isFine &= await command.FindAsync(hole);
        foreach (var environment in parsed.Environments)
            isFine &= await command.RunAsync(environment);
        return isFine ? 0 : 1;
    }

    private async Task<bool> RunAsync(EnvironmentPlan environment)
    {
        var (started, found, requests) = (Stopwatch.GetTimestamp(), 0, 0);
        for (var seed = _arguments.Seed; Stopwatch.GetElapsedTime(started) < _arguments.Length; seed++)
        {
            var plan = new HttpPlan(environment, seed, Round) { Processes = _arguments.Processes };
            if (_arguments.IsClean)
                plan = plan with { Profile = HttpProfiles.Clean, Takes = HttpProfiles.IsClean };
            if (await HttpRun.RunAsync(plan, _cancellationToken) is not { } history)
            {
                await _output.WriteLineAsync($"{environment.Name}: skipped, this machine has not got what it needs.");
                return true;
            }

            requests += history.Observations.Count;
            var findings = Judge.Check(history);
            if (findings.Count > 0)
                await ReportAsync(history, findings, started);
            found += findings.Count;
        }

        await _output.WriteLineAsync($"{environment.Name}: {requests} requests in {Minutes(started)} min, {found} findings.");
        return found == 0;
    }

    /// <summary>Looks for a known hole from successive seeds: from which one it is found, and after how long.</summary>
    private async Task<bool> FindAsync(HttpHole hole)
    {
        var started = Stopwatch.GetTimestamp();
        for (var seed = _arguments.Seed; Stopwatch.GetElapsedTime(started) < _arguments.Length; seed++)
        {
            if (await hole.FindAsync(seed, _cancellationToken) is not { } found)
                break;
            await KeptHistory.WriteAsync(found.History, _arguments.Folder, _cancellationToken);
            if (found.Findings.FirstOrDefault(finding => finding.Code == hole.Code) is not { } finding)
                continue;
            await _output.WriteLineAsync($"{hole.Letter}: seed {seed}, {Minutes(started)} min. {finding}");
            return true;
        }

        await _output.WriteLineAsync($"{hole.Letter}: not found in {Minutes(started)} min.");
        return false;
    }

    /// <summary>A run over HTTP cannot be repeated exactly, so the history is kept with the seed.</summary>
    private async Task ReportAsync(RunHistory history, IReadOnlyList<Finding> findings, long started)
    {
        var file = await KeptHistory.WriteAsync(history, _arguments.Folder, _cancellationToken);
        await _output.WriteLineAsync(
            $"{history.Name}, seed {history.Seed}, after {Minutes(started)} min: {findings.Count} findings; the history is in {file}");
        foreach (var finding in findings)
            await _output.WriteLineAsync($"  {finding}");
    }

    private static string Minutes(long started) => FormattableString.Invariant($"{Stopwatch.GetElapsedTime(started).TotalMinutes:F2}");
}
