using RedisSessions.Consistency.Http.Environments;

namespace RedisSessions.Consistency.Http.Faults;

/// <summary>
/// Something that the environment does to processes, to the store or to what is between them. It ends what it began before it returns.
/// </summary>
internal abstract class HttpFault
{
    /// <summary>For the events of a history.</summary>
    public abstract string Name { get; }

    /// <summary>Whether it can happen again in this run.</summary>
    public virtual bool IsPossible => true;

    public abstract Task RunAsync(FaultContext context);
}

/// <summary>What a fault may touch.</summary>
/// <param name="Farm">The processes.</param>
/// <param name="Environment">The store and the proxies.</param>
/// <param name="Random">Of the run's seed.</param>
/// <param name="Note">Writes an event into the history.</param>
/// <param name="Token">Ends when the run does.</param>
internal sealed record FaultContext(Farm Farm, HttpEnvironment Environment, Random Random, Action<string> Note, CancellationToken Token)
{
    public FarmProcess AnyProcess() => Farm.Processes[Random.Next(Farm.Processes.Count)];

    /// <summary>Waits for a random time.</summary>
    public Task PauseAsync(int from, int to) => Task.Delay(Random.Next(from, to), Token);
}
