using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Faults;

/// <summary>What a network does to the commands of one process, for a moment.</summary>
/// <param name="name">For the events of a history.</param>
/// <param name="begin">Begins it; what it gives is run at its end.</param>
internal sealed class ProxyFault(string name, Func<FaultProxy, Random, Action?> begin) : HttpFault
{
    public override string Name => name;

    public static IReadOnlyList<ProxyFault> All { get; } =
    [
        new("delay", static (proxy, random) =>
        {
            (proxy.Latency, proxy.Jitter) = (TimeSpan.FromMilliseconds(random.Next(1, 30)), TimeSpan.FromMilliseconds(random.Next(1, 60)));
            return null;
        }),
        new("cut", static (proxy, random) => Sometimes(proxy, random, static () => Fault.CutReply)),
        new("cut-inside", static (proxy, random) => Sometimes(proxy, random, static () => Fault.CutInsideReply)),
        new("swallow", static (proxy, random) => Sometimes(proxy, random, static () => Fault.SwallowReply)),
        new("half-close", static (proxy, random) => Sometimes(proxy, random, static () => Fault.HalfClose)),
        new("refuse", static (proxy, random) => Sometimes(proxy, random, static () => Fault.Refused)),
        new("hold", static (proxy, random) => Holding(proxy, random, Fault.HoldUntil)),
        new("arrive-late", static (proxy, random) => Holding(proxy, random, Fault.ArriveLate)),
        new("down", static (proxy, _) =>
        {
            proxy.RefuseConnections = true;
            proxy.DropConnections();
            return null;
        }),
        new("silence", static (proxy, _) =>
        {
            proxy.IsSilent = true;
            return null;
        }),
    ];

    public override async Task RunAsync(FaultContext context)
    {
        if (context.Environment.Proxies is not { Count: > 0 } proxies)
            return;
        var proxy = proxies[context.Random.Next(proxies.Count)];
        context.Note($"outage: {name}");
        var end = begin(proxy, context.Random);
        try
        {
            await context.PauseAsync(100, 1200);
        }
        finally
        {
            end?.Invoke();
            Heal(proxy);
            context.Note($"{name} is over");
        }
    }

    /// <summary>Everything passes again, at once.</summary>
    public static void Heal(FaultProxy proxy)
    {
        proxy.Policy = static _ => Fault.None;
        (proxy.Latency, proxy.Jitter) = (TimeSpan.Zero, TimeSpan.Zero);
        (proxy.RefuseConnections, proxy.IsSilent) = (false, false);
    }

    /// <summary>One of a few scripts, or of what a database is sent.</summary>
    private static Action? Sometimes(FaultProxy proxy, Random random, Func<Fault> fault)
    {
        var apart = random.Next(2, 8);
        proxy.Policy = command => IsWrite(command) && command.Number % apart == 0 ? fault() : Fault.None;
        return null;
    }

    private static Action Holding(FaultProxy proxy, Random random, Func<Task, Fault> hold)
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Sometimes(proxy, random, () => hold(released.Task));
        return released.SetResult;
    }

    // Of a database's bytes the proxy understands nothing.
    private static bool IsWrite(ProxiedCommand command) => command.IsScript || command.Name.Length == 0;
}
