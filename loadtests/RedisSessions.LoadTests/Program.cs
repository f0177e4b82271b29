using RedisSessions.LoadTests;

return await CommandLine.RunAsync(args);
