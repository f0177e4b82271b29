using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;

namespace RedisSessions.Redis.Tests.HighAvailability;

/// <summary>Many clients of one instance, each with its turn every few milliseconds: loads a session, appends a token of its own, commits. Everything is taken down.</summary>
internal sealed class EngineLoad : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(15);
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentQueue<Operation> _operations = [];
    private readonly SessionId[] _sessions;
    private readonly Task _running;

    private EngineLoad(SessionManager manager, SessionId[] sessions, int clients)
    {
        _sessions = sessions;
        _running = Task.WhenAll(Enumerable.Range(0, clients).Select(client => RunAsync(manager, new Random(client))));
    }

    public SessionHistory History { get; } = new();

    public IReadOnlyCollection<Operation> Operations => _operations;

    public static async Task<EngineLoad> StartAsync(ServiceProvider instance, int sessions, int clients, CancellationToken cancellationToken)
    {
        await instance.WarmUpAsync(cancellationToken);
        var ids = new List<SessionId>();
        for (var i = 0; i < sessions; i++)
            ids.Add(await instance.Manager().CreateSessionAsync("made", 1, cancellationToken));
        return new EngineLoad(instance.Manager(), [.. ids], clients);
    }

    /// <summary>The key that a session's record has, without the prefix.</summary>
    public SessionKey KeyOf(int session) => SessionKey.From(_sessions[session]);

    /// <summary>Waits until the clients have done something more.</summary>
    public async Task AdvanceAsync(int operations, CancellationToken cancellationToken)
    {
        var goal = _operations.Count + operations;
        await Poll.UntilAsync(() => _operations.Count >= goal, TimeSpan.FromSeconds(60), $"{operations} more operations were made", cancellationToken);
    }

    /// <summary>Waits until everything that began later than a moment succeeds: that many in a row, of every session some.</summary>
    /// <returns>From when on nothing failed any more: when the last failure ended, or the moment itself.</returns>
    public async Task<long> RecoverAsync(long since, TimeSpan deadline, CancellationToken cancellationToken)
    {
        await Poll.UntilAsync(
            () =>
            {
                var later = _operations.Where(operation => operation.Started > since).ToArray();
                var fine = later.Reverse().TakeWhile(operation => operation.Outcome == Outcome.Acknowledged).ToArray();
                return fine.Length >= 100 && fine.Select(operation => operation.Session).Distinct().Count() >= _sessions.Length * 3 / 4;
            },
            deadline, "a hundred operations in a row succeed", cancellationToken);
        return Failed.Select(operation => operation.Ended).Append(since).Max();
    }

    /// <summary>What was not acknowledged.</summary>
    public IReadOnlyList<Operation> Failed => [.. _operations.Where(operation => operation.Outcome != Outcome.Acknowledged)];

    /// <summary>The longest that anybody had to wait, in milliseconds.</summary>
    public double Longest => _operations.Max(operation => Stopwatch.GetElapsedTime(operation.Started, operation.Ended)).TotalMilliseconds;

    /// <summary>Ends the clients, and looks at every session once more.</summary>
    public async Task EndAsync(SessionManager manager, CancellationToken cancellationToken)
    {
        await _ending.CancelAsync();
        await _running;
        for (var session = 0; session < _sessions.Length; session++)
            await LookAsync(manager, session, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running;
        _ending.Dispose();
    }

    private async Task RunAsync(SessionManager manager, Random random)
    {
        while (!_ending.IsCancellationRequested)
        {
            var session = random.Next(_sessions.Length);
            var started = Stopwatch.GetTimestamp();
            string? error = null;
            var outcome = await History.PushAsync($"session {session}", 0, async token =>
            {
                try
                {
                    var loaded = await manager.LoadAsync(_sessions[session]);
                    if (loaded.IsNew)
                    {
                        error = "logged out";
                        return Outcome.Refused;
                    }

                    loaded.Push("tokens", token);
                    await loaded.CommitAsync();
                    return Outcome.Acknowledged;
                }
                catch (SessionStoreException e)
                {
                    error = e.Message;
                    return Outcome.Unknown;
                }
                catch (SessionConflictException e)
                {
                    error = e.Message;
                    return Outcome.Refused;
                }
            });
            _operations.Enqueue(new Operation(session, started, Stopwatch.GetTimestamp(), outcome, error));
            await Task.Delay(Pause);
        }
    }

    private async Task LookAsync(SessionManager manager, int session, CancellationToken cancellationToken) =>
        await History.LookAsync($"session {session}", 0, async () =>
        {
            var loaded = await manager.LoadAsync(_sessions[session], cancellationToken: cancellationToken);
            return (Outcome.Acknowledged, loaded.IsNew ? null : loaded.Get<string[]>("tokens") ?? []);
        });

    /// <param name="Session">Which one.</param>
    /// <param name="Started">By the clock of <see cref="Stopwatch"/>.</param>
    /// <param name="Ended">By the same.</param>
    /// <param name="Outcome">What the client was told.</param>
    /// <param name="Error">Why it was not acknowledged.</param>
    internal sealed record Operation(int Session, long Started, long Ended, Outcome Outcome, string? Error);
}
