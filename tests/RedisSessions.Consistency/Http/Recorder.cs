using System.Collections.Concurrent;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Environments;

namespace RedisSessions.Consistency.Http;

/// <summary>Keeps what browsers saw and what the environment did, on one clock.</summary>
internal sealed class Recorder
{
    private readonly ConcurrentQueue<Sent> _sent = [];
    private readonly ConcurrentQueue<EnvironmentEvent> _events = [];
    private int _browsers;

    public HistoryClock Clock { get; } = new();

    public CookieNumbers Numbers { get; } = new();

    public Browser NewBrowser() => new(Interlocked.Increment(ref _browsers), Numbers, Clock);

    public void Note(string what) => _events.Enqueue(new EnvironmentEvent(Clock.Next(), what));

    public void Keep(Sent sent) => _sent.Enqueue(sent);

    public RunHistory History(EnvironmentPlan environment, int seed, Farm farm) =>
        new($"http {environment.Name}", seed, HistoryAssembly.Join(_sent, farm.Witnesses()), [.. _events.OrderBy(what => what.At)],
            // Faults are what these runs are for.
            environment.Rules with { StoreMayFail = true });
}
