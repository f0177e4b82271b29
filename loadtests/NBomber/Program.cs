using System.Globalization;
using NBomber.CSharp;
using RedisSessions.LoadTests.Scenarios;
using RedisSessions.LoadTests.Servers;

// dotnet run -c Release --project loadtests/NBomber -- SCENARIO RATE SECONDS [URL...]
if (args is not [var name, var rate, var seconds, .. var addresses] || ScenarioCatalog.All(TimeProvider.System).SingleOrDefault(entry => entry.Name == name) is not { } entry)
{
    Console.Error.WriteLine("SCENARIO RATE SECONDS [URL...]; scenarios: " + string.Join(", ", ScenarioCatalog.All(TimeProvider.System).Select(entry => entry.Name)));
    return 2;
}

await using ITarget target = addresses.Length > 0 ? new GivenServers(addresses.Select(address => new Uri(address)))
    : entry.Needs == ScenarioNeeds.Sentinels ? await OwnServers.StartWithSentinelsAsync(CancellationToken.None)
    : await OwnServers.StartAsync(CancellationToken.None);
var scenario = entry.Create(entry.Sessions);
var duration = TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));

var props = Scenario.Create(name, async _ =>
    {
        var outcome = await scenario.StepAsync(CancellationToken.None);
        return outcome.IsOk ? Response.Ok() : Response.Fail(message: outcome.Failure!);
    })
    .WithInit(_ => scenario.PrepareAsync(target, CancellationToken.None))
    .WithoutWarmUp()
    .WithLoadSimulations(Simulation.Inject(rate: int.Parse(rate, CultureInfo.InvariantCulture), interval: TimeSpan.FromSeconds(1), during: duration));

// What happens to the servers in the middle is the runner's to begin, and NBomber has no such moment: a task beside it.
var disturbing = Task.Run(async () =>
{
    await Task.Delay(duration / 2);
    await scenario.DisturbAsync(CancellationToken.None);
});
NBomberRunner.RegisterScenarios(props).Run();
await disturbing;

var broken = 0;
foreach (var promise in await scenario.VerifyAsync(CancellationToken.None))
{
    Console.WriteLine($"{promise.Verdict}: {promise.Text}: {promise.Seen}");
    broken += promise.IsKept ? 0 : 1;
}

return broken == 0 ? 0 : 1;
