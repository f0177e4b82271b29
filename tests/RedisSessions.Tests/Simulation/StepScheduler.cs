using Microsoft.Extensions.Time.Testing;

namespace RedisSessions.Tests.Simulation;

/// <summary>
/// Everything that happens in a simulation happens here, on one thread, in an order that one seed decides. Whoever waits for the network parks;
/// a step resumes one of those, or lets time pass.
/// </summary>
internal sealed class StepScheduler
{
    private readonly List<TaskCompletionSource> _parked = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly List<string>? _trace;

    public StepScheduler(int seed, bool traced)
    {
        Random = new Random(seed);
        _trace = traced ? [] : null;
        // With a context, what the engine awaits would be resumed by the thread pool, in an order that nobody decides.
        if (SynchronizationContext.Current is not null)
            throw new InvalidOperationException("A simulation runs on a thread without a synchronization context.");
    }

    public Random Random { get; }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public int Parked => _parked.Count;

    public IReadOnlyList<string> Trace => _trace ?? [];

    /// <summary>A place where anything else may happen first.</summary>
    public Task Pause()
    {
        CheckThread();
        var step = new TaskCompletionSource();
        _parked.Add(step);
        return step.Task;
    }

    /// <summary>Where those wait whose process is dead.</summary>
    public static Task Never() => new TaskCompletionSource().Task;

    public bool Chance(double probability) => Random.NextDouble() < probability;

    public T Any<T>(IReadOnlyList<T> list) => list[Random.Next(list.Count)];

    public void ResumeOne()
    {
        var at = Random.Next(_parked.Count);
        var step = _parked[at];
        _parked[at] = _parked[^1];
        _parked.RemoveAt(_parked.Count - 1);
        step.SetResult();
    }

    public void Note(FormattableString what)
    {
        CheckThread();
        _trace?.Add(FormattableString.Invariant($"{Time.GetUtcNow():mm:ss.fff} {FormattableString.Invariant(what)}"));
    }

    private void CheckThread()
    {
        if (Environment.CurrentManagedThreadId != _thread)
            throw new InvalidOperationException("The simulation has left its thread: it would not be repeatable.");
    }
}
