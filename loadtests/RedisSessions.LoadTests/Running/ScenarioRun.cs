using RedisSessions.LoadTests.Reporting;
using RedisSessions.LoadTests.Scenarios;
using RedisSessions.LoadTests.Servers;
using Spectre.Console;

namespace RedisSessions.LoadTests.Running;

/// <summary>A scenario from the start of its servers to the report.</summary>
internal sealed class ScenarioRun(IAnsiConsole console, TimeProvider time)
{
    /// <param name="entry">Which.</param>
    /// <param name="targets">Servers that run already; none: three of our own are started.</param>
    /// <param name="model">Who decides when a step begins.</param>
    /// <param name="duration">How long steps begin.</param>
    /// <param name="sessions">How many sessions.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="UsageException">It cannot be run so.</exception>
    public async Task<Report> RunAsync(
        ScenarioEntry entry, IReadOnlyList<Uri> targets, LoadModel model, TimeSpan duration, int sessions, CancellationToken cancellationToken)
    {
        if (targets.Count > 0 && entry.Needs != ScenarioNeeds.Nothing)
            throw new UsageException($"{entry.Name} kills what it drives: it starts its own servers, leave --target out.");
        await using var target = targets.Count > 0 ? new GivenServers(targets)
            : entry.Needs == ScenarioNeeds.Sentinels ? (ITarget)await OwnServers.StartWithSentinelsAsync(cancellationToken)
            : await OwnServers.StartAsync(cancellationToken);
        console.WriteLine($"{entry.Name}: {target.Site.Instances} instances are there, preparing");
        var scenario = entry.Create(sessions);
        await scenario.PrepareAsync(target, cancellationToken);
        var record = await new LoadRunner(time).RunAsync(scenario, model, duration, new ProgressView(console, time, entry.Name, duration).WatchAsync, cancellationToken);
        var promises = await scenario.VerifyAsync(cancellationToken);
        return ScenarioReport.Of(entry, target.Site.Instances, model, duration, sessions, scenario.MayFail, record, promises);
    }
}
