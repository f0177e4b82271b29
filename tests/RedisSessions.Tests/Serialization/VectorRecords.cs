using RedisSessions.Tests.Values;
using RedisSessions.Values;

namespace RedisSessions.Tests.Serialization;

/// <summary>What the vectors of format version 1 were made from.</summary>
internal static class VectorRecords
{
    private static readonly DateTimeOffset Created = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    public static IEnumerable<(string Name, SessionRecord Record)> All()
    {
        yield return ("v1-empty", Live(1, 1));
        yield return ("v1-kinds", Live(2, 2,
            ("null", null), ("true", true), ("false", false), ("zero", 0), ("minus", -1), ("byte", 200), ("short", -30_000), ("int", 100_000),
            ("long", long.MinValue), ("ulong", ulong.MaxValue), ("double", 0.1), ("text", "äöü €"), ("empty", ""), ("long text", new string('x', 300)),
            ("bytes", new byte[] { 0, 1, 254, 255 }), ("instant", Created), ("early", DateTimeOffset.MinValue), ("late", DateTimeOffset.MaxValue),
            ("list", new object?[] { 1, "two", null }), ("no list", Array.Empty<int>())));
        yield return ("v1-nested", Live(ulong.MaxValue, 8, ("account.current_user_id", 42),
            ("cart", new { items = new[] { new { sku = "a", qty = 2 }, new { sku = "b", qty = 3 } } })));
        yield return ("v1-flash", Live(3, 1, ("message", "saved"), ("_flash.new", new[] { "fresh" }), ("_flash.old", new[] { "message" })));
        yield return ("v1-idle", Live(4, 1, TimeSpan.FromDays(14), ("remember", true)));
        yield return ("v1-hashes", Live(5, 1, ("account.current_user_id", 42), ("texts", new[] { new string('x', 4_000), new string('y', 4_200) }), ("last", true)));
        yield return ("v1-groups", Live(6, 1, [.. Enumerable.Range(0, 300).Select(i => ($"key{i:D3}", (object?)$"the value of {i}")), ("ä", 300), ("count", 301)]));
        yield return ("v1-ended", Closed(SessionState.Ended, default));
        yield return ("v1-replaced", Closed(SessionState.Replaced, default));
        Assert.True(SessionId.TryParse("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", out var target));
        yield return ("v1-forward", Closed(SessionState.Forward, SessionKey.From(target).ToBytes()));
    }

    private static SessionRecord Live(ulong version, int commits, params (string, object?)[] values) => Live(version, commits, null, values);

    private static SessionRecord Live(ulong version, int commits, TimeSpan? idle, params (string, object?)[] values) => new()
    {
        Version = new SessionVersion(version),
        CreatedAt = Created,
        AbsoluteDeadline = Created.AddHours(12),
        CommitIds = [.. Enumerable.Range(1, commits).Select(i => new CommitId(0x0123456789abcde0 + (ulong)i))],
        PayloadFormat = PayloadFormat.MessagePack,
        Payload = Given.Tree(values).ToPayload(),
        IdleTimeout = idle,
    };

    private static SessionRecord Closed(SessionState state, ReadOnlyMemory<byte> payload) => new()
    {
        Version = new SessionVersion(5),
        State = state,
        CreatedAt = Created,
        AbsoluteDeadline = Created.AddMinutes(2),
        CommitIds = [new CommitId(ulong.MaxValue)],
        Payload = payload,
    };
}
