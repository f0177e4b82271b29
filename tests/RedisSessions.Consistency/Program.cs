using RedisSessions.Consistency.Simulation;

var watch = System.Diagnostics.Stopwatch.StartNew();
var scenario = Scenarios.General;
for (var seed = 1; seed <= int.Parse(args[0]); seed++)
{
    var outcome = Simulator.Run(scenario.Plan(seed), scenario, args.Length > 1);
    foreach (var line in outcome.Trace) Console.WriteLine(line);
    foreach (var finding in outcome.Findings) Console.WriteLine($"{seed} {finding}");
}
Console.WriteLine(watch.Elapsed);
