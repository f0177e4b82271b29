namespace RedisSessions.Consistency.Simulation;

/// <summary>
/// One process of the farm: an engine over its handlers, and a clock of its own. When it dies, its requests stop where they are.
/// </summary>
internal sealed class SimulatedProcess
{
    // The request in whose flow a call is made; its draws decide about its own messages.
    private static readonly AsyncLocal<Draws?> Current = new();

    private readonly World _world;
    private readonly Draws _draws;
    private readonly TaskCompletionSource _died = new();

    public SimulatedProcess(World world, int number, long clockOffset)
    {
        (_world, Number) = (world, number);
        _draws = new Draws(world.Script.Seed, $"process{number}");
        Clock = new SimulatedClock(world.Scheduler, clockOffset);
        Manager = Engine.Create(this, world);
    }

    public int Number { get; }

    public SessionManager Manager { get; }

    public SimulatedClock Clock { get; }

    public Scheduler Network => _world.Scheduler;

    public FaultWeights Faults => _world.Faults;

    public StoreBug Bug => _world.Scenario.Bug;

    public bool IsDead => Clock.IsStopped;

    /// <summary>Completes when the process dies.</summary>
    public Task Died => _died.Task;

    /// <summary>How often something went wrong on the way to a store.</summary>
    public int Troubles { get; private set; }

    public Draws Draws => Current.Value ?? _draws;

    /// <summary>What follows in this flow belongs to a request.</summary>
    public static void Enter(Draws draws) => Current.Value = draws;

    /// <summary>Something that this process does later, if it lives.</summary>
    public void After(long microseconds, Action happens) => Network.After(microseconds, () =>
    {
        if (!IsDead)
            happens();
    });

    /// <summary>Never ends if the process dies meanwhile.</summary>
    public Task PauseAsync(long microseconds)
    {
        var over = new TaskCompletionSource();
        After(microseconds, over.SetResult);
        return over.Task;
    }

    public void HasTrouble()
    {
        Troubles++;
        _world.HadTroubles = true;
    }

    public void Kill()
    {
        Clock.IsStopped = true;
        _died.TrySetResult();
    }

    public void Note(string what) => _world.Note($"process {Number}, {what}");
}
