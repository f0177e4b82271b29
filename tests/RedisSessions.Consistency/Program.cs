using RedisSessions.Consistency.Commands;

return new SimulationCommands(Console.Out).Run(args);
