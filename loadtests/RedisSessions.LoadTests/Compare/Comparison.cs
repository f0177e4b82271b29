using System.Globalization;
using RedisSessions.LoadTests.Servers;
using RedisSessions.TestServers;

namespace RedisSessions.LoadTests.Compare;

/// <summary>How a comparison is run.</summary>
/// <param name="Rounds">How often every subject has its turn.</param>
/// <param name="Duration">How long a turn lasts.</param>
/// <param name="WarmUp">How long each subject is asked for each route before anything counts.</param>
/// <param name="Sessions">Sessions of each subject.</param>
/// <param name="Connections">Requests on their way at a time.</param>
/// <param name="NearCache">The staleness allowed to a fifth subject, ours with its near cache on; null for no such subject.</param>
internal sealed record ComparisonSettings(int Rounds, TimeSpan Duration, TimeSpan WarmUp, int Sessions, int Connections, TimeSpan? NearCache);

/// <summary>What a comparison came to: the turns of each round, and the updates that each subject lost in the races of the same run.</summary>
internal sealed record ComparisonResult(
    ComparisonSettings Settings, IReadOnlyList<IReadOnlyList<Slot>> Rounds, IReadOnlyDictionary<string, (long Lost, long Acknowledged)> Races);

/// <summary>Ours, the framework's session and the floor, over one Redis, in turns: A B C D, D C B A, and so on, so that a slow moment of the machine hits all alike.</summary>
internal sealed class Comparison : IAsyncDisposable
{
    public const string Ours = "RedisSessions", Near = "RedisSessions, near cache", FrameworkAsync = "framework, LoadAsync", Framework = "framework", Floor = "floor";

    private const int RaceRequests = 100;
    private readonly ComparisonSettings _settings;
    private readonly RedisProcess _redis;
    private readonly RedisCounters _counters;
    private readonly List<Subject> _subjects = [];
    private readonly string _keys = Directory.CreateTempSubdirectory("peers-").FullName;

    private Comparison(ComparisonSettings settings, RedisProcess redis, RedisCounters counters) => (_settings, _redis, _counters) = (settings, redis, counters);

    /// <summary>Starts Redis and the subjects, and makes their sessions.</summary>
    /// <exception cref="UsageException">There is no redis-server.</exception>
    public static async Task<Comparison> StartAsync(ComparisonSettings settings, CancellationToken cancellationToken)
    {
        var redis = await RedisProcess.TryStartAsync([], cancellationToken) ?? throw new UsageException("redis-server is not on the PATH.");
        var comparison = new Comparison(settings, redis, await RedisCounters.ConnectAsync(redis.Configuration));
        try
        {
            await comparison.AddSubjectsAsync(cancellationToken);
            return comparison;
        }
        catch
        {
            await comparison.DisposeAsync();
            throw;
        }
    }

    /// <param name="progress">Hears what is done at the moment.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<ComparisonResult> RunAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        List<(Subject Subject, Route Route)> turns =
        [
            .. Routes.SelectMany(route => _subjects.Where(subject => subject.Name != Near).Select(subject => (subject, route))),
            .. _subjects.Where(subject => subject.Name == Near).SelectMany(subject => Routes.Prepend(Route.Hello).Select(route => (subject, route))),
        ];
        progress("warming up");
        foreach (var (subject, route) in turns)
            await TakeTurnAsync(subject, route, _settings.WarmUp);

        var rounds = new List<IReadOnlyList<Slot>>();
        var races = _subjects.ToDictionary(subject => subject.Name, _ => (Lost: 0L, Acknowledged: 0L));
        for (var round = 1; round <= _settings.Rounds; round++)
        {
            var slots = new List<Slot>();
            foreach (var (subject, route) in round % 2 == 1 ? turns : turns.AsEnumerable().Reverse())
            {
                cancellationToken.ThrowIfCancellationRequested();
                slots.Add(await TakeTurnAsync(subject, route, _settings.Duration));
                progress(string.Create(CultureInfo.InvariantCulture, $"round {round} of {_settings.Rounds}: {route.Name} of {subject.Name}: {slots[^1].Load.PerSecond:F0} a second"));
            }

            rounds.Add(slots);
            foreach (var subject in _subjects)
            {
                var (lost, acknowledged) = await subject.RaceAsync(RaceRequests, cancellationToken);
                races[subject.Name] = (races[subject.Name].Lost + lost, races[subject.Name].Acknowledged + acknowledged);
            }
        }

        return new ComparisonResult(_settings, rounds, races);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var subject in _subjects)
            await subject.DisposeAsync();
        await _counters.DisposeAsync();
        await _redis.DisposeAsync();
        Directory.Delete(_keys, recursive: true);
    }

    private static Route[] Routes => [Route.Read, Route.Set, Route.Increment];

    private async Task AddSubjectsAsync(CancellationToken cancellationToken)
    {
        var redis = _redis.Configuration;
        _subjects.Add(await Subject.OursAsync(Ours, redis, [], cancellationToken));
        _subjects.Add(await Subject.PeerAsync(FrameworkAsync, "framework-async", redis, _keys, cancellationToken));
        _subjects.Add(await Subject.PeerAsync(Floor, "floor", redis, _keys, cancellationToken));
        _subjects.Add(await Subject.PeerAsync(Framework, "framework", redis, _keys, cancellationToken));
        if (_settings.NearCache is { } staleness)
            _subjects.Add(await Subject.OursAsync(Near, redis, [$"--Sessions:NearCache:MaxStaleness={staleness:c}"], cancellationToken));
        foreach (var subject in _subjects)
            await subject.SeedAsync(_settings.Sessions, cancellationToken);
    }

    private async Task<Slot> TakeTurnAsync(Subject subject, Route route, TimeSpan duration)
    {
        using var load = new PollingLoad(subject.Address, _settings.Connections, route.Requests(subject), route.IsRight);
        await _counters.ResetAsync();
        var before = Times();
        // Not on a thread of the pool: the loop does not let go of it.
        var result = await Task.Factory.StartNew(() => load.Run(duration), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var after = Times();
        return new Slot(subject.Name, route.Name, result, after.App - before.App, after.Redis - before.Redis, after.Generator - before.Generator, await _counters.CallsAsync());

        (TimeSpan App, TimeSpan Redis, TimeSpan Generator) Times() =>
            (ProcessTimes.Of(subject.ProcessId), ProcessTimes.Of(_redis.ProcessId), ProcessTimes.Of(Environment.ProcessId));
    }
}
