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

    [Theory]
    [InlineData("redissessions.load.duration", true)]
    [InlineData("redissessions.commit.duration", false)]
    public async Task A_request_has_no_state_machine_more_than_it_needs_when_nobody_listens(string instrument, bool loads)
    {
        using Meters silent = new(listens: false), listened = new(listens: false);
        var engine = new Engine();
        var id = await engine.StoredAsync(("n", 1));
        // Somebody who listens to this one and takes no notes, so that what is allocated is the engine's.
        using var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (one, listener) =>
            {
                if (one.Meter.Scope == listened && one.Name == instrument)
                    listener.EnableMeasurementEvents(one);
            },
        };
        listener.Start();
        var (without, with) = (RequestWith(silent), RequestWith(listened));
        Assert.True(with - without > 50 * Times, $"{without / Times} bytes when nobody listens, {with / Times} when somebody does");

        long RequestWith(Meters meters)
        {
            // The store answers later, on this thread: whoever waits for it has to remember where it was.
            var slow = new SlowHandler(engine.Store);
            var manager = engine.New(slow, meters);
            return Allocated(() =>
            {
                slow.IsSlow = loads;
                var loading = manager.LoadAsync(id, cancellationToken: Token).AsTask();
                slow.Answer();
                var session = loading.Result;
                session.Increment("n");
                slow.IsSlow = !loads;
                var committing = manager.CommitAsync(session, Token).AsTask();
                slow.Answer();
                Assert.True(committing.IsCompletedSuccessfully);
            });
        }
    }

    private static long Allocated(Action run) => Allocations.Of(run, Times);

    private sealed class SlowHandler(ISessionHandler store) : ISessionHandler
    {
        private TaskCompletionSource? _answer;

        public bool IsSlow { get; set; }

        public void Answer() => Interlocked.Exchange(ref _answer, null)?.SetResult();

        public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
        {
            await WaitAsync();
            return await store.ReadAsync(key, idleTimeout, cancellationToken);
        }

        public async ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
        {
            await WaitAsync();
            return await store.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
        }

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => store.DeleteAsync(key, cancellationToken);

        private Task WaitAsync() => IsSlow ? (_answer = new TaskCompletionSource()).Task : Task.CompletedTask;
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
