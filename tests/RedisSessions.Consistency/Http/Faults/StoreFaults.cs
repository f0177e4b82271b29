using RedisSessions.Consistency.Http.Environments;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Faults;

/// <summary>SIGSTOP of the store: connections stay open and nothing answers.</summary>
internal sealed class StopStore(Func<Task> stop, Func<Task> go) : HttpFault
{
    public override string Name => "stop-store";

    public override async Task RunAsync(FaultContext context)
    {
        context.Note("outage: the store is stopped");
        await stop();
        try
        {
            await context.PauseAsync(200, 1500);
        }
        finally
        {
            await go();
            context.Note("the store goes on");
        }
    }
}

/// <summary>What an operator may type: <c>SCRIPT FLUSH</c>, <c>CLIENT KILL</c>.</summary>
internal sealed class RedisCommand(RedisProcess redis, params string[] command) : HttpFault
{
    public override string Name => string.Join(' ', command).ToLowerInvariant();

    public override async Task RunAsync(FaultContext context)
    {
        context.Note(Name);
        await redis.AskAsync(command, context.Token);
    }
}

/// <summary><c>maxmemory</c> below what is used: Redis refuses every command that may need memory.</summary>
internal sealed class FullMemory(RedisProcess redis) : HttpFault
{
    public override string Name => "full";

    public override async Task RunAsync(FaultContext context)
    {
        context.Note("outage: maxmemory is reached");
        await FillAsync(redis, context.Token);
        try
        {
            await context.PauseAsync(300, 1500);
        }
        finally
        {
            await MakeRoomAsync(redis, CancellationToken.None);
            context.Note("there is memory again");
        }
    }

    public static async Task FillAsync(RedisProcess redis, CancellationToken cancellationToken)
    {
        await redis.AskAsync(["CONFIG", "SET", "maxmemory-policy", "noeviction"], cancellationToken);
        await redis.AskAsync(["CONFIG", "SET", "maxmemory", "1"], cancellationToken);
    }

    public static Task MakeRoomAsync(RedisProcess redis, CancellationToken cancellationToken) =>
        redis.AskAsync(["CONFIG", "SET", "maxmemory", "0"], cancellationToken);
}

/// <summary>Handler and ReadThrough are exchanged: all processes stop, then all start with the new settings.</summary>
internal sealed class SwitchStores(ReadThroughEnvironment environment) : HttpFault
{
    public override string Name => "switch";

    public override async Task RunAsync(FaultContext context)
    {
        var kills = context.Random.Next(2) == 0;
        environment.Switch();
        context.Note((kills ? "kill of all processes, " : "") + (environment.Moves % 2 == 1 ? "switch-to-new" : "switch-to-old"));
        await context.Farm.RestartAllAsync(kills, CancellationToken.None);
    }
}
