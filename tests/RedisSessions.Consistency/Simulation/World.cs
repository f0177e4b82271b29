using System.Globalization;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>What all parts of one run share: time, stores, processes, what was observed, and what happened in which order.</summary>
internal sealed class World
{
    /// <summary>What happens when a primary loses its replica.</summary>
    public const string CutOff = "cut off";

    private readonly List<Observation> _observations = [];
    private readonly List<EnvironmentEvent> _events = [];
    private readonly List<Finding> _findings = [];
    private readonly Dictionary<SessionId, int> _cookies = [];
    private readonly List<SessionId> _issued = [];
    private readonly List<string>? _trace;
    private long _counter;

    public World(Script script, Scenario scenario, bool traced)
    {
        (Script, Scenario, Faults) = (script, scenario, scenario.Faults);
        _trace = traced ? [] : null;
        Stores = [.. Enumerable.Range(0, 2).Select(number => new SimulatedStore(
            number == 0 ? "first" : "second", Scheduler, scenario.Bug, new Draws(script.Seed, $"store{number}"))
            {
                HasReplica = scenario.HasReplica,
            })];
        for (var number = 0; number < scenario.Processes; number++)
            Processes.Add(new SimulatedProcess(this, number, OffsetOf(number)));
    }

    public Script Script { get; }

    public Scenario Scenario { get; }

    /// <summary>What goes wrong now; nothing any more at the end, when what is left is looked at.</summary>
    public FaultWeights Faults { get; set; }

    public Scheduler Scheduler { get; } = new();

    public IReadOnlyList<SimulatedStore> Stores { get; }

    public List<SimulatedProcess> Processes { get; } = [];

    /// <summary>
    /// How often the handler was exchanged: even, the first store with nothing behind it or with the second one behind it.
    /// </summary>
    public int Moves { get; set; }

    /// <summary>New requests wait: the handler is being exchanged.</summary>
    public bool IsHeld { get; set; }

    public int InFlight { get; set; }

    /// <summary>Something went wrong between some process and a store.</summary>
    public bool HadTroubles { get; set; }

    public IReadOnlyList<SessionId> Issued => _issued;

    /// <summary>What only the simulation can know, since it has made all the trouble there was.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    public IReadOnlyList<string> Trace => _trace ?? [];

    /// <summary>The next number of the counter that all browsers share.</summary>
    public long Count() => ++_counter;

    public Task DelayAsync(long microseconds)
    {
        var over = new TaskCompletionSource();
        Scheduler.After(microseconds, over.SetResult);
        return over.Task;
    }

    /// <summary>The process of this number, or the next one that is alive.</summary>
    public SimulatedProcess? Alive(int number)
    {
        for (var i = 0; i < Processes.Count && !IsHeld; i++)
        {
            if (Processes[(number + i) % Processes.Count] is { IsDead: false } process)
                return process;
        }

        return null;
    }

    /// <summary>The number of an id, given in the order in which ids reach browsers.</summary>
    public int NumberOf(SessionId id)
    {
        if (_cookies.TryGetValue(id, out var number))
            return number;
        _cookies[id] = _issued.Count + 1;
        _issued.Add(id);
        return _issued.Count;
    }

    public void Observe(Observation observation) => _observations.Add(observation);

    public void Find(string code, Request request, string explanation) => _findings.Add(new Finding(code, [request.Id], explanation));

    public void Happened(string what)
    {
        _events.Add(new EnvironmentEvent(Count(), what));
        Note(what);
    }

    public void Note(string what) =>
        _trace?.Add(string.Create(CultureInfo.InvariantCulture, $"{Scheduler.Now / 1000.0,12:F3} ms  {what}"));

    public RunHistory History() => new(
        Script.Scenario, Script.Seed, [.. _observations.OrderBy(observation => observation.Began).Select(WithoutWoundBack)], _events,
        Scenario.Rules with { StoreMayFail = HadTroubles });

    /// <summary>
    /// While a primary is cut off it shows what no replica has, and what a failover takes back. Nothing is promised about a request that
    /// only looked at it or was refused; what was acknowledged rests on what a replica has.
    /// </summary>
    private Observation WithoutWoundBack(Observation seen)
    {
        var from = _events.LastOrDefault(happened => happened.What == CutOff && happened.At <= seen.Ended);
        var until = _events.FirstOrDefault(
            happened => happened.What.StartsWith("failover", StringComparison.Ordinal) && happened.At > from?.At);
        return from is null || (until is not null && until.At < seen.Began)
            ? seen
            : seen with { Segments = [.. seen.Segments.Where(CountsAnyway)] };
    }

    private static bool CountsAnyway(Segment segment) =>
        segment.Fate == Fate.Unknown || (segment.Fate == Fate.Committed && segment.Steps.Any(IsStored));

    // A removal may have found nothing, and then nothing was sent.
    private static bool IsStored(Executed executed) => executed switch
    {
        { Answer: ['!', ..] } => false,
        { Step.Op: Op.Remove } => executed.Answer == "true",
        { Step.Op: Op.Pull } => executed.Answer != "null",
        _ => executed.Step.Writes(),
    };

    private long OffsetOf(int number) => Scenario.ClockOffsets.Count == 0 ? 0 : Scenario.ClockOffsets[number % Scenario.ClockOffsets.Count];
}
