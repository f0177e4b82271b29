using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Simulation;

/// <summary>
/// A farm of processes, some browsers and a store, and everything that can go wrong between them, in the order that one seed decides.
/// </summary>
internal sealed class Simulator
{
    private const int Processes = 3, Browsers = 2, Requests = 160, MostAtOnce = 12;
    private static readonly RequestKind[] Mix =
    [
        RequestKind.Add, RequestKind.Add, RequestKind.Add, RequestKind.AddTwice, RequestKind.AddTwice, RequestKind.Update, RequestKind.Update,
        RequestKind.Update, RequestKind.Naive, RequestKind.Set, RequestKind.Set, RequestKind.Read, RequestKind.Login, RequestKind.Rotate,
        RequestKind.Logout, RequestKind.Probe, RequestKind.Probe,
    ];

    private readonly StepScheduler _scheduler;
    private readonly MemorySessionHandler _memory;
    private readonly BuggyStore _store;
    private readonly Model _model;
    private readonly PlantedBug _bug;
    private readonly List<DelayedCommand> _delayed = [];
    private readonly List<SimulatedProcess> _processes = [];
    private readonly List<(SimulatedRequest Request, Task Task)> _running = [];
    private readonly Browser[] _browsers = [.. Enumerable.Range(0, Browsers).Select(number => new Browser(number))];
    private int _started;

    private Simulator(int seed, PlantedBug bug, bool traced)
    {
        _bug = bug;
        _scheduler = new StepScheduler(seed, traced);
        _memory = new MemorySessionHandler(_scheduler.Time);
        _store = new BuggyStore(_memory, bug);
        _model = new Model(_scheduler.Time);
        for (var i = 0; i < Processes; i++)
            _processes.Add(NewProcess(i));
    }

    /// <summary>Runs one seed from its beginning to its end.</summary>
    /// <returns>The broken promise, or null; and what happened, if it was asked for.</returns>
    public static (string? Violation, IReadOnlyList<string> Trace) Run(int seed, PlantedBug bug = PlantedBug.None, bool traced = false)
    {
        var simulator = new Simulator(seed, bug, traced);
        try
        {
            simulator.RunToTheEnd();
            return (null, simulator._scheduler.Trace);
        }
        catch (ViolationException violation)
        {
            return (violation.Message, simulator._scheduler.Trace);
        }
    }

    private void RunToTheEnd()
    {
        for (var idle = 0; _started < Requests || _running.Count > 0; )
        {
            var before = (_started, _running.Count, _scheduler.Parked);
            Step();
            Collect();
            idle = before == (_started, _running.Count, _scheduler.Parked) ? idle + 1 : 0;
            if (idle > 100_000)
                throw new ViolationException($"{_running.Count} requests never end");
        }

        while (_delayed.Count > 0)
            Deliver(_delayed.Count - 1);
        _model.CheckEnd(_memory, _browsers.Select(browser => browser.Cookie).OfType<SessionId>().ToHashSet());
    }

    private void Step()
    {
        var dice = _scheduler.Random.Next(100);
        if (dice < 20 && _started < Requests && _running.Count < MostAtOnce)
            Start();
        else if (dice < 25)
            _scheduler.Time.Advance(TimeSpan.FromMilliseconds(_scheduler.Random.Next(1, 20)));
        else if (dice == 26 && _scheduler.Chance(0.05))
            _scheduler.Time.Advance(TimeSpan.FromMilliseconds(_scheduler.Random.Next(5_000)));
        else if (dice == 27 && _scheduler.Chance(0.05))
            Kill(_scheduler.Random.Next(Processes));
        else if (dice < 32 && _delayed.FindIndex(command => command.Due <= _scheduler.Time.GetUtcNow()) is var due and >= 0)
            Deliver(due);
        else if (_scheduler.Parked > 0)
            _scheduler.ResumeOne();
        else
            _scheduler.Time.Advance(TimeSpan.FromMilliseconds(_scheduler.Random.Next(1, 50)));
    }

    private void Start()
    {
        var kind = _scheduler.Any(Mix);
        var browser = _scheduler.Any(_browsers);
        var cookie = kind == RequestKind.Probe && _model.DeadIds.Count > 0 ? _scheduler.Any(_model.DeadIds) : browser.Cookie;
        // A probe comes from somewhere else, and what it is told does not reach the browser.
        var jar = kind == RequestKind.Probe ? new Browser(-1) : browser;
        var request = new SimulatedRequest(_started++, kind, jar, cookie, _scheduler.Any(_processes), _model, _scheduler);
        _running.Add((request, request.RunAsync()));
    }

    private void Collect()
    {
        foreach (var (_, task) in _running)
        {
            if (task.IsFaulted)
                throw task.Exception!.InnerException as ViolationException ?? new ViolationException($"a request failed: {task.Exception}");
        }

        _running.RemoveAll(entry => entry.Request.Ended);
    }

    private void Kill(int number)
    {
        var process = _processes[number];
        _scheduler.Note($"process {number} is killed");
        process.Dead = true;
        foreach (var (request, _) in _running.Where(entry => entry.Request.Process == process))
            request.Abandon();
        _processes[number] = NewProcess(number);
    }

    private void Deliver(int at)
    {
        var command = _delayed[at];
        _delayed.RemoveAt(at);
        _scheduler.Note($"delivered once more: {command.Record.State} v{command.Expected.Count}->v{command.Record.Version.Count}");
        var delivery = _store.CommitAsync(command.Key, command.Expected, command.Record, command.IdleTimeout, CancellationToken.None).AsTask();
        if (!delivery.IsCompletedSuccessfully)
            throw new InvalidOperationException("The store in memory answers at once.");
    }

    private SimulatedProcess NewProcess(int number) => new(number, _scheduler, _store, _delayed, _bug);
}
