using RedisSessions.Consistency.Commands;
using RedisSessions.Consistency.Http;

return args is ["http", .. var arguments]
    ? await HttpCommand.RunAsync(arguments, Console.Out, CancellationToken.None)
    : new SimulationCommands(Console.Out).Run(args);
