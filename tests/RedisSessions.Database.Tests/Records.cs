namespace RedisSessions.Database.Tests;

/// <summary>Records and keys for tests.</summary>
internal static class Records
{
    public static readonly TimeSpan Idle = TimeSpan.FromMinutes(20);

    public static SessionKey NewKey() => SessionKey.From(SessionId.New());

    public static SessionRecord Live(ulong version, DateTimeOffset? now = null, string? user = null, TimeSpan? absolute = null, SessionState state = SessionState.Live) => new()
    {
        Version = new SessionVersion(version),
        State = state,
        CreatedAt = Whole(now ?? DateTimeOffset.UtcNow),
        AbsoluteDeadline = Whole((now ?? DateTimeOffset.UtcNow) + (absolute ?? TimeSpan.FromHours(12))),
        CommitIds = [CommitId.New()],
        PayloadFormat = PayloadFormat.MessagePack,
        Payload = new byte[] { 0x80 },
        UserId = user,
    };

    public static async Task<CommitResult> CommitAsync(this ISessionHandler handler, SessionKey key, ulong expected, SessionRecord record, TimeSpan? idle = null) =>
        await handler.CommitAsync(key, new SessionVersion(expected), record, idle ?? Idle, TestContext.Current.CancellationToken);

    public static async Task<SessionRecord?> ReadAsync(this ISessionHandler handler, SessionKey key, TimeSpan? idle = null) =>
        await handler.ReadAsync(key, idle ?? Idle, TestContext.Current.CancellationToken);

    private static DateTimeOffset Whole(DateTimeOffset time) => DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
}
