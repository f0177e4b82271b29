using RedisSessions.Consistency.Http;

return args is ["http", .. var arguments]
    ? await HttpCommand.RunAsync(arguments, Console.Out, CancellationToken.None)
    : 2;
