namespace RedisSessions.Conformance;

/// <summary>
/// What every handler promises, <see cref="ISessionHandler"/> as tests. A handler's whole test class is
/// <c>public sealed class MyHandlerTests(MyFixture fixture) : SessionHandlerTests(fixture), IClassFixture&lt;MyFixture&gt;;</c>
/// </summary>
public abstract partial class SessionHandlerTests(HandlerFixture fixture)
{
    /// <summary>Far longer than any test.</summary>
    protected static readonly TimeSpan LongIdleTimeout = TimeSpan.FromMinutes(20);

    protected HandlerFixture Fixture { get; } = fixture;

    /// <summary>A key that no other test uses.</summary>
    protected SessionKey Key { get; } = NewKey();

    protected static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    protected static SessionKey NewKey() => SessionKey.From(SessionId.New());

    /// <summary>A live record with a commit id of its own.</summary>
    protected SessionRecord Live(ulong version, params byte[] payload) => Live(new SessionVersion(version), payload);

    /// <summary>A live record with a commit id of its own.</summary>
    protected SessionRecord Live(SessionVersion version, params byte[] payload) => new()
    {
        Version = version,
        CreatedAt = Milliseconds(Fixture.Time.GetUtcNow()),
        AbsoluteDeadline = Milliseconds(Fixture.Time.GetUtcNow() + TimeSpan.FromHours(12)),
        CommitIds = [CommitId.New()],
        PayloadFormat = PayloadFormat.MessagePack,
        Payload = payload,
    };

    /// <summary>A time as a record holds it.</summary>
    protected static DateTimeOffset Milliseconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());

    protected static async Task<SessionRecord?> ReadAsync(ISessionHandler handler, SessionKey key, TimeSpan? idleTimeout = null) =>
        await handler.ReadAsync(key, idleTimeout ?? LongIdleTimeout, CancellationToken);

    protected static async Task<CommitResult> CommitAsync(
        ISessionHandler handler, SessionKey key, ulong expected, SessionRecord record, TimeSpan? idleTimeout = null) =>
        await handler.CommitAsync(key, new SessionVersion(expected), record, idleTimeout ?? LongIdleTimeout, CancellationToken);

    protected async Task<CommitResult> CommitAsync(ISessionHandler handler, SessionVersion expected, SessionRecord record) =>
        await handler.CommitAsync(Key, expected, record, LongIdleTimeout, CancellationToken);

    /// <summary>Stores a first record under <see cref="Key"/>.</summary>
    protected async Task<SessionRecord> CreateAsync(ISessionHandler handler, SessionRecord? record = null, TimeSpan? idleTimeout = null)
    {
        record ??= Live(1, 1);
        AssertCommitted(await CommitAsync(handler, Key, 0, record, idleTimeout));
        return record;
    }

    protected static void AssertCommitted(CommitResult result) => Assert.IsType<CommitResult.Committed>(result);

    /// <summary>The commit was refused, and the answer brought the record that is there.</summary>
    protected static void AssertConflict(SessionRecord current, CommitResult result) =>
        AssertSame(current, Assert.IsType<CommitResult.Conflict>(result).Current);

    protected static void AssertGone(CommitResult result) => Assert.IsType<CommitResult.Gone>(result);

    /// <summary>Every field of a record, so that a failure names the one that differs.</summary>
    protected static void AssertSame(SessionRecord expected, SessionRecord? actual)
    {
        ArgumentNullException.ThrowIfNull(expected);
        Assert.NotNull(actual);
        Assert.Equal(expected.Version, actual.Version);
        Assert.Equal(expected.State, actual.State);
        Assert.Equal(expected.CreatedAt, actual.CreatedAt);
        Assert.Equal(expected.AbsoluteDeadline, actual.AbsoluteDeadline);
        Assert.Equal(expected.CommitIds.AsEnumerable(), actual.CommitIds.AsEnumerable());
        Assert.Equal(expected.IdleTimeout, actual.IdleTimeout);
        Assert.Equal(expected.PayloadFormat, actual.PayloadFormat);
        Assert.True(expected.Notes.Span.SequenceEqual(actual.Notes.Span), "The notes are not what was stored.");
        Assert.True(expected.Payload.Span.SequenceEqual(actual.Payload.Span), "The payload is not what was stored.");
    }
}
