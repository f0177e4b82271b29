using RedisSessions.Consistency.Commands;
using RedisSessions.Consistency.Http;

return args switch
{
    ["http", .. var arguments] => await HttpCommand.RunAsync(arguments, Console.Out, CancellationToken.None),
    ["judge", .. var files] => await JudgeCommand.RunAsync(files, Console.Out, CancellationToken.None),
    _ => new SimulationCommands(Console.Out).Run(args),
};
