using RedisSessions.Diagnostics;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Diagnostics;

/// <summary>Being observable costs nothing while nobody looks. Alone, because a trace that somebody listens to is seen by all.</summary>
[Collection(nameof(Listening))]
public sealed class CostTests
{
    private const int Times = 1000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void A_measurement_that_nobody_listens_to_allocates_nothing()
    {
        using var meters = new Meters(listens: false);
        var metrics = new SessionMetrics("memory", meters);
        Assert.Equal(0, Allocated(() =>
        {
            metrics.Loaded(TimeSpan.FromSeconds(1), SessionAccess.Optimistic, "found");
            metrics.Committed(TimeSpan.FromSeconds(1), "committed");
            metrics.Conflict();
            metrics.Rebased("replay");
            metrics.Rejected("conflict");
            metrics.Issued();
            SessionTracing.Event("conflict");
            SessionTracing.Start("session load", "memory")?.Dispose();
            SessionTracing.StartStore("read", "memory")?.Dispose();
        }));
    }

    [Fact]
    public void The_store_is_called_without_anything_in_between()
    {
        using var meters = new Meters(listens: false);
        var never = new TaskCompletionSource<SessionRecord?>().Task;
        var store = new ObservedStore(new OneTaskHandler(never), new SessionMetrics("memory", meters), TimeProvider.System);
        var key = SessionKey.From(SessionId.New());
        // The very task of the handler, so there is no state machine around it.
        Assert.Same(never, store.ReadAsync(key, TimeSpan.FromMinutes(1), Token).AsTask());
        Assert.Equal(0, Allocated(() => store.ReadAsync(key, TimeSpan.FromMinutes(1), Token).AsTask()));

        using var listened = new Meters();
        var observed = new ObservedStore(new OneTaskHandler(never), new SessionMetrics("memory", listened), TimeProvider.System);
        Assert.NotSame(never, observed.ReadAsync(key, TimeSpan.FromMinutes(1), Token).AsTask());
    }

    [Fact]
    public async Task A_request_allocates_less_when_nobody_listens()
    {
        using Meters silent = new(listens: false), listened = new();
        var engine = new Engine();
        var id = await engine.StoredAsync(("n", 1));
        long RequestWith(Meters meters)
        {
            var manager = engine.New(engine.Store, meters);
            return Allocated(() =>
            {
                var session = manager.LoadAsync(id, cancellationToken: Token).AsTask();
                Assert.True(session.IsCompletedSuccessfully);
                session.Result.Increment("n");
                Assert.True(manager.CommitAsync(session.Result, Token).AsTask().IsCompletedSuccessfully);
            });
        }

        // Without measuring, a request takes what its session takes; the closures of measuring come on top, so their absence shows.
        var (without, with) = (RequestWith(silent), RequestWith(listened));
        Assert.True(with - without > 300 * Times, $"{without / Times} bytes when nobody listens, {with / Times} when somebody does");
    }

    private static long Allocated(Action run)
    {
        for (var i = 0; i < Times; i++)
            run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Times; i++)
            run();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private sealed class OneTaskHandler(Task<SessionRecord?> task) : ISessionHandler
    {
        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) => new(task);

        public ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) => default;

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => default;
    }
}

/// <summary>Tests that listen to traces, or need nobody to: one after the other, when all others are done.</summary>
[CollectionDefinition(nameof(Listening), DisableParallelization = true)]
public sealed class Listening;
