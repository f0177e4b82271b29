using RedisSessions.LoadTests.Http;
using RedisSessions.LoadTests.Reporting;
using RedisSessions.LoadTests.Scenarios;
using RedisSessions.LoadTests.Servers;
using Spectre.Console;

namespace RedisSessions.LoadTests.Running;

/// <summary>How a scenario is run.</summary>
/// <param name="Targets">Servers that run already; none: three of our own are started.</param>
/// <param name="Model">Who decides when a step begins.</param>
/// <param name="Duration">How long steps begin.</param>
/// <param name="WarmUp">How long steps run before that are not timed; zero for none.</param>
/// <param name="Sessions">How many sessions; 0 when that is no matter of choice.</param>
/// <param name="Dialect">What routes the targets have.</param>
/// <param name="Floor">Whether our own servers are those of the floor.</param>
internal sealed record ScenarioSettings(
    IReadOnlyList<Uri> Targets, LoadModel Model, TimeSpan Duration, TimeSpan WarmUp, int Sessions, Dialect Dialect = Dialect.TargetApp, bool Floor = false);

/// <summary>A scenario from the start of its servers to the report.</summary>
internal sealed class ScenarioRun(IAnsiConsole console, TimeProvider time)
{
    /// <exception cref="UsageException">It cannot be run so.</exception>
    public async Task<Report> RunAsync(ScenarioEntry entry, ScenarioSettings settings, CancellationToken cancellationToken)
    {
        var (targets, model, duration, warmUp, sessions, dialect, floor) = settings;
        if (floor && entry.Needs != ScenarioNeeds.Nothing)
            throw new UsageException($"{entry.Name} kills what it drives, and the floor is not made for that: leave --floor out.");
        if (targets.Count > 0 && entry.Needs != ScenarioNeeds.Nothing)
            throw new UsageException($"{entry.Name} kills what it drives: it starts its own servers, leave --target out.");
        await using var target = targets.Count > 0 ? new GivenServers(targets, dialect)
            : entry.Needs == ScenarioNeeds.Sentinels ? (ITarget)await OwnServers.StartWithSentinelsAsync(cancellationToken)
            : floor ? await OwnServers.StartFloorAsync(cancellationToken)
            : await OwnServers.StartAsync(cancellationToken);
        console.WriteLine($"{entry.Name}: {target.Site.Instances} instances are there, preparing");
        var scenario = entry.Create(sessions);
        await scenario.PrepareAsync(target, cancellationToken);
        if (warmUp > TimeSpan.Zero)
            await WarmUpAsync(scenario, warmUp, cancellationToken);
        var record = await new LoadRunner(time).RunAsync(scenario, model, duration, new ProgressView(console, time, entry.Name, duration).WatchAsync, cancellationToken);
        var promises = await scenario.VerifyAsync(cancellationToken);
        return ScenarioReport.Of(entry, target.Site.Instances, settings, scenario.MayFail, record, promises);
    }

    /// <summary>Steps that nobody times: a program that has just begun is not yet compiled as well as it will be. What they were told is verified with the rest.</summary>
    private async Task WarmUpAsync(IScenario scenario, TimeSpan warmUp, CancellationToken cancellationToken)
    {
        const int AtATime = 16;
        var started = time.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, AtATime).Select(async _ =>
        {
            await Task.Yield();
            while (time.GetElapsedTime(started) < warmUp)
                await scenario.StepAsync(cancellationToken);
        }));
    }
}
