using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RedisSessions.Locking;

namespace RedisSessions.Tests.Simulation;

/// <summary>A request that ends in the middle of nowhere.</summary>
internal sealed class RequestDiedException : Exception;

/// <summary>A command that the network delivers once more, late.</summary>
internal sealed record DelayedCommand(
    SessionKey Key, SessionVersion Expected, SessionRecord Record, TimeSpan IdleTimeout, DateTimeOffset Due);

/// <summary>
/// One process of the farm: an engine, and the network between it and the store. Commands and answers take time and get lost; what was lost
/// is sent again, as the Redis handler does it.
/// </summary>
internal sealed class SimulatedProcess : ISessionHandler
{
    private const int Tries = 3;
    private readonly StepScheduler _scheduler;
    private readonly ISessionHandler _store;
    private readonly List<DelayedCommand> _delayed;
    private readonly PlantedBug _bug;

    public SimulatedProcess(
        int number, StepScheduler scheduler, ISessionHandler store, List<DelayedCommand> delayed, PlantedBug bug)
    {
        Number = number;
        (_scheduler, _store, _delayed, _bug) = (scheduler, store, delayed, bug);
        Manager = new SessionManager(
            this, Options.Create(new RedisSessionsOptions()), scheduler.Time, NullLogger<SessionManager>.Instance)
        {
            Queue = new CommitQueue(TaskCreationOptions.None),
            Jitter = new Random(scheduler.Random.Next()),
        };
    }

    public int Number { get; }

    public SessionManager Manager { get; }

    public bool Dead { get; set; }

    public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        await TravelAsync(reachesTheStore: false);
        var record = await _store.ReadAsync(key, idleTimeout, cancellationToken);
        await TravelAsync(reachesTheStore: false);
        return record;
    }

    public async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            CommitResult? answer = null;
            await TravelAsync(reachesTheStore: _scheduler.Chance(0.5));
            if (!_scheduler.Chance(0.04))
            {
                answer = await _store.CommitAsync(key, expected, record, idleTimeout, CancellationToken.None);
                _scheduler.Note($"process {Number}: {record.State} v{expected.Count}->v{record.Version.Count}: {Name(answer)}");
                if (_scheduler.Chance(0.1))
                {
                    var due = _scheduler.Time.GetUtcNow().AddMilliseconds(_scheduler.Random.Next(20_000));
                    _delayed.Add(new DelayedCommand(key, expected, record, idleTimeout, due));
                }
            }

            await TravelAsync(reachesTheStore: false);
            if (answer is not null && !_scheduler.Chance(0.12))
            {
                return tries > 1 && _bug != PlantedBug.NoCommitIds && _bug != PlantedBug.NoMemoryCheck
                    && answer is CommitResult.Conflict { Current: var current } && !current.RemembersCommitsSince(expected)
                    ? throw new SessionStoreException("simulated", "commit", "the outcome is unknown")
                    : answer;
            }

            _scheduler.Note($"process {Number}: no answer to {record.State} v{expected.Count}->v{record.Version.Count}");
            if (tries == Tries)
                throw new SessionStoreException("simulated", "commit", "no answer");
            // A store that does not answer for a while: others go on meanwhile.
            for (var wait = _scheduler.Random.Next(12); wait > 0; wait--)
                await TravelAsync(reachesTheStore: false);
        }
    }

    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken)
    {
        await TravelAsync(reachesTheStore: _scheduler.Chance(0.5));
        if (_scheduler.Chance(0.1))
            throw new SessionStoreException("simulated", "delete", "no answer");
        return await _store.DeleteAsync(key, cancellationToken);
    }

    /// <summary>The endpoint does something else.</summary>
    public Task WorkAsync() => TravelAsync(reachesTheStore: false);

    private async Task TravelAsync(bool reachesTheStore)
    {
        await _scheduler.Pause();
        // What was on its way when the process died may still arrive.
        if (Dead && !reachesTheStore)
            await StepScheduler.Never();
        if (!Dead && _scheduler.Chance(0.003))
            throw new RequestDiedException();
    }

    private static string Name(CommitResult answer) => answer switch
    {
        CommitResult.Committed => "committed",
        CommitResult.Conflict conflict => $"conflict with {conflict.Current.State} v{conflict.Current.Version.Count}",
        _ => "gone",
    };
}
