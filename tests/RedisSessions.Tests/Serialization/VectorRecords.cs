using RedisSessions.Tests.Values;
using RedisSessions.Values;

namespace RedisSessions.Tests.Serialization;

/// <summary>What the vectors of format version 2 were made from.</summary>
internal static class VectorRecords
{
    private static readonly DateTimeOffset Created = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    public static IEnumerable<(string Name, SessionRecord Record)> All()
    {
        yield return ("v2-empty", Live(1, 1));
        yield return ("v2-kinds", Live(2, 2,
            ("null", null), ("true", true), ("false", false), ("zero", 0), ("minus", -1), ("byte", 200), ("short", -30_000), ("int", 100_000),
            ("long", long.MinValue), ("ulong", ulong.MaxValue), ("double", 0.1), ("text", "äöü €"), ("empty", ""), ("long text", new string('x', 300)),
            ("bytes", new byte[] { 0, 1, 254, 255 }), ("instant", Created), ("early", DateTimeOffset.MinValue), ("late", DateTimeOffset.MaxValue),
            ("list", new object?[] { 1, "two", null }), ("no list", Array.Empty<int>()),
            ("price", 1.10m), ("smallest", -0.0000000000000000000000000001m), ("day", new DateTime(2026, 1, 2, 18, 0, 0, DateTimeKind.Unspecified)),
            ("utc", new DateTime(2026, 1, 2, 18, 0, 0, DateTimeKind.Utc)), ("offset", new DateTimeOffset(2026, 1, 2, 18, 0, 0, TimeSpan.FromMinutes(-210)))));
        yield return ("v2-nested", Live(SessionVersion.MaxCount, 8, ("account.current_user_id", 42),
            ("cart", new { items = new[] { new { sku = "a", qty = 2 }, new { sku = "b", qty = 3 } } })));
        yield return ("v2-flash", Live(3, 1, ("message", "saved"), ("_flash.new", new[] { "fresh" }), ("_flash.old", new[] { "message" })));
        yield return ("v2-idle", Live(4, 1, TimeSpan.FromDays(14), ("remember", true)));
        yield return ("v2-hashes", Live(5, 1, ("account.current_user_id", 42), ("texts", new[] { new string('x', 4_000), new string('y', 4_200) }), ("last", true)));
        yield return ("v2-groups", Live(6, 1, [.. Enumerable.Range(0, 300).Select(i => ($"key{i:D3}", (object?)$"the value of {i}")), ("ä", 300), ("count", 301)]));
        yield return ("v2-ended", Closed(SessionState.Ended, default));
        Assert.True(SessionId.TryParse("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", out var target));
        yield return ("v2-replaced", Closed(SessionState.Replaced, SessionKey.From(target).ToBytes()));
        yield return ("v2-forward", Closed(SessionState.Forward, SessionKey.From(target).ToBytes()));
        yield return ("v2-notes", Live(7, 1, ("account.current_user_id", 42)).WithNotes(new SessionNotes("42", "Firefox", "192.0.2.1", Created).ToBytes()));
        yield return ("v2-protected", Protected(SessionKey.From(target)));
    }

    private static SessionRecord Live(ulong version, int commits, params (string, object?)[] values) => Live(version, commits, null, values);

    private static SessionRecord Live(ulong version, int commits, TimeSpan? idle, params (string, object?)[] values) => new()
    {
        Version = new SessionVersion(version, 0xabcdef),
        CreatedAt = Created,
        AbsoluteDeadline = Created.AddHours(12),
        CommitIds = [.. Enumerable.Range(1, commits).Select(i => new CommitId(0x0123456789abcde0 + (ulong)i))],
        PayloadFormat = PayloadFormat.MessagePack,
        Payload = Given.Tree(values).ToPayload(),
        IdleTimeout = idle,
    };

    private static SessionRecord Closed(SessionState state, ReadOnlyMemory<byte> payload) => new()
    {
        Version = new SessionVersion(5, 0xffffff),
        State = state,
        CreatedAt = Created,
        AbsoluteDeadline = Created.AddMinutes(2),
        CommitIds = [new CommitId(ulong.MaxValue)],
        Payload = payload,
    };

    /// <summary>Encrypted by something that leaves the bytes as they are, so that they can be looked at.</summary>
    private static SessionRecord Protected(SessionKey key)
    {
        var seal = new RecordSeal(new Nothing());
        var clear = Live(8, 1, TimeSpan.FromDays(14), ("account.current_user_id", 42));
        return clear.WithNotes(
            seal.Close(RecordSeal.Part.Notes, key, clear, new SessionNotes("42", null, null, null).ToBytes()),
            seal.Close(RecordSeal.Part.Payload, key, clear, clear.Payload));
    }

    private static SessionRecord WithNotes(this SessionRecord record, ReadOnlyMemory<byte> notes, ReadOnlyMemory<byte> payload = default) => new()
    {
        Version = record.Version,
        CreatedAt = record.CreatedAt,
        AbsoluteDeadline = record.AbsoluteDeadline,
        IdleTimeout = record.IdleTimeout,
        CommitIds = record.CommitIds,
        PayloadFormat = payload.IsEmpty ? record.PayloadFormat : PayloadFormat.Protected,
        Notes = notes,
        Payload = payload.IsEmpty ? record.Payload : payload,
    };

    private sealed class Nothing : ISessionPayloadProtector
    {
        public bool AcceptsUnprotected => false;

        public ReadOnlyMemory<byte> Protect(ReadOnlyMemory<byte> bytes) => bytes;

        public ReadOnlyMemory<byte> Unprotect(ReadOnlyMemory<byte> bytes) => bytes;
    }
}
