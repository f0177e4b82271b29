using System.Diagnostics;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Diagnostics;

/// <summary>What a trace shows of a session's request.</summary>
[Collection(nameof(Listening))]
public sealed class SessionTracingTests : IDisposable
{
    private readonly Engine _engine = new(static options => options.Handler = "memory");
    private readonly List<Activity> _spans = [];
    private readonly ActivityListener _listener;

    public SessionTracingTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "RedisSessions",
            Sample = static (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = _spans.Add,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task A_load_is_a_span_with_the_call_of_the_store_below_it()
    {
        await _engine.LoadAsync(await StoredAsync());
        Assert.Equal(["read memory", "session load"], _spans.Select(span => span.DisplayName));
        Assert.Equal(_spans[1].SpanId, _spans[0].ParentSpanId);
        Assert.Equal([ActivityKind.Client, ActivityKind.Internal], _spans.Select(span => span.Kind));
        Assert.Equal("db.system.name=memory, db.operation.name=read, redissessions.outcome=found", Tags(_spans[0]));
        Assert.Equal("redissessions.handler=memory, redissessions.access=optimistic, redissessions.outcome=found", Tags(_spans[1]));
    }

    [Fact]
    public async Task A_conflict_and_a_rebase_are_events_of_the_commit()
    {
        var id = await StoredAsync();
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.Before(async () =>
        {
            _listener.Sample = static (ref _) => ActivitySamplingResult.None;
            await _engine.OtherAsync(id, other => other.Increment("n"));
            _listener.Sample = static (ref _) => ActivitySamplingResult.AllData;
        });
        _spans.Clear();
        await session.CommitAsync(Token);
        Assert.Equal(["commit memory", "commit memory", "session commit"], _spans.Select(span => span.DisplayName));
        Assert.Equal(["conflict", "rebase"], _spans[2].Events.Select(one => one.Name));
        Assert.Equal(["conflict", "committed", "committed"], _spans.Select(span => span.GetTagItem("redissessions.outcome")));
        Assert.All(_spans, span => Assert.Equal(ActivityStatusCode.Unset, span.Status));
    }

    [Fact]
    public async Task A_failure_is_named_by_its_type_and_by_nothing_that_its_message_says()
    {
        var id = await StoredAsync();
        var session = await _engine.LoadAsync(id);
        session["n"] = 2;
        _engine.Handler.BeforeCommit = _ => throw new SessionStoreException("memory", "commit", "message", new TimeoutException("inner message"));
        _spans.Clear();
        await Assert.ThrowsAsync<SessionStoreException>(async () => await session.CommitAsync(Token));
        Assert.Equal(["commit memory", "session commit"], _spans.Select(span => span.DisplayName));
        foreach (var span in _spans)
        {
            Assert.Equal("System.TimeoutException", span.GetTagItem("error.type"));
            Assert.Equal("failed", span.GetTagItem("redissessions.outcome"));
            Assert.Equal((ActivityStatusCode.Error, null), (span.Status, span.StatusDescription));
            Assert.Empty(span.Events);
        }
    }

    [Fact]
    public async Task A_refusal_is_an_error_and_a_wait_is_a_span()
    {
        var id = await StoredAsync();
        _engine.Options.LeaseWait = TimeSpan.FromSeconds(1);
        var manager = _engine.New(new LeasedHandler(_engine.Handler, new TestLeases(_engine.Time)));
        var first = await manager.LoadAsync(id, SessionAccess.Exclusive, Token);
        _spans.Clear();
        await Assert.ThrowsAsync<SessionBusyException>(() => _engine.PassTimeAsync(manager.LoadAsync(id, SessionAccess.Exclusive, Token).AsTask()));
        await SessionManager.ReleaseAsync(first, Token);
        Assert.Equal(["session wait", "session load"], _spans.Select(span => span.DisplayName));
        Assert.Equal("redissessions.handler=memory, redissessions.reason=lease, redissessions.outcome=busy, error.type=RedisSessions.SessionBusyException", Tags(_spans[0]));
        Assert.Equal(ActivityStatusCode.Error, _spans[1].Status);
    }

    [Fact]
    public async Task A_store_may_say_what_it_is_by_the_name_that_OpenTelemetry_has_for_it()
    {
        await _engine.New(new NamedHandler(_engine.Store)).LoadAsync(await StoredAsync(), cancellationToken: Token);
        Assert.Equal("read postgresql", _spans[0].DisplayName);
        Assert.Equal("postgresql", _spans[0].GetTagItem("db.system.name"));
        Assert.Equal("memory", _spans[1].GetTagItem("redissessions.handler"));
    }

    [Fact]
    public async Task An_event_is_for_our_own_span_and_not_for_the_applications()
    {
        using var source = new ActivitySource("the application");
        using var listener = new ActivityListener { ShouldListenTo = other => other == source, Sample = static (ref _) => ActivitySamplingResult.AllData };
        ActivitySource.AddActivityListener(listener);
        _listener.Sample = static (ref _) => ActivitySamplingResult.None;
        using var theirs = source.StartActivity("request");
        var id = await StoredAsync();
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other.Increment("n")));
        await session.CommitAsync(Token);
        Assert.Empty(theirs!.Events);
        Assert.Empty(theirs.TagObjects);
    }

    private async Task<SessionId> StoredAsync()
    {
        var id = await _engine.StoredAsync(("n", 1));
        _spans.Clear();
        return id;
    }

    private static string Tags(Activity span) => string.Join(", ", span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"));

    private sealed class NamedHandler(ISessionHandler store) : ISessionHandler
    {
        public string SystemName => "postgresql";

        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
            store.ReadAsync(key, idleTimeout, cancellationToken);

        public ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
            store.CommitAsync(key, expected, record, idleTimeout, cancellationToken);

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => store.DeleteAsync(key, cancellationToken);
    }
}
