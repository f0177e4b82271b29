using System.Collections.Immutable;
using System.Runtime.InteropServices;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>What is stored for one session. Immutable; <see cref="RecordFormat"/> is its form as bytes.</summary>
public sealed class SessionRecord
{
    /// <summary>How many commit ids a record remembers.</summary>
    public const int MaxCommitIds = 8;

    private readonly ReadOnlyMemory<byte> _payload;
    private SessionVersion _version;
    private byte[]? _written;

    /// <summary>
    /// Which state of the record this is; the count of a new one is 1. Where PHP's records are stored, a digest of them instead
    /// (<see cref="PhpRecordFormat"/>), which a new one has once it was written.
    /// </summary>
    public required SessionVersion Version { get => _version; init => _version = value; }

    /// <summary>Whether this is a live session or a closed record.</summary>
    public SessionState State { get; init; }

    /// <summary>When the session was created, to the millisecond.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the session ends whatever happens, to the millisecond. It is set once and never slides.</summary>
    public required DateTimeOffset AbsoluteDeadline { get; init; }

    /// <summary>The ids of the last commits, newest first, at most <see cref="MaxCommitIds"/>.</summary>
    public ImmutableArray<CommitId> CommitIds { get; init; } = [];

    /// <summary>How <see cref="Payload"/> and <see cref="Notes"/> are encoded.</summary>
    public PayloadFormat PayloadFormat { get; init; }

    /// <summary>
    /// What is known of the sign-in: the user, the browser, the address, the time. Apart from the values, so that a directory reads no payloads. Empty for a
    /// session of no user. A handler never looks inside, and never changes a byte.
    /// </summary>
    public ReadOnlyMemory<byte> Notes { get; init; }

    /// <summary>
    /// The values of the session, or the key of the session that a closed record leads to. A handler never looks inside, and never changes a byte; the bytes stay as they are for as long as
    /// anybody holds them.
    /// </summary>
    public ReadOnlyMemory<byte> Payload
    {
        // Written when somebody asks: a handler that stores RecordFormat.Write of the record never does, so that the bytes are copied once.
        get => Values is null ? _payload : _written ??= Written(Values);
        init => _payload = value;
    }

    /// <summary>The values that <see cref="Payload"/> is to be written from, in place of bytes. They do not change any more.</summary>
    internal SessionTree? Values { get; init; }

    /// <summary>Whether there are values that only PHP can read.</summary>
    internal bool HoldsForeign { get; init; }

    /// <summary>The version is that of the bytes in the store, which are known only now.</summary>
    internal void StoredAs(SessionVersion version) => _version = version;

    /// <summary>The length of <see cref="Payload"/>, which need not be written for it.</summary>
    internal int PayloadLength => Values?.Size ?? _payload.Length;

    private static byte[] Written(SessionTree values)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(values.Size);
        values.WritePayload(bytes);
        return bytes;
    }

    internal void WritePayload(Span<byte> destination)
    {
        if (Values is null || _written is not null)
            Payload.Span.CopyTo(destination);
        else
            Values.WritePayload(destination);
    }

    /// <summary>
    /// The user that the session belongs to, for handlers with an index: the text of the value at <see cref="RedisSessionsOptions.UserKey"/>. It is not part of
    /// <see cref="RecordFormat"/>: set on what is to be stored, null when there is no such value, on closed records, and on records that were read.
    /// </summary>
    public string? UserId { get; init; }

    /// <summary>
    /// Whether an index must learn of <see cref="UserId"/> with this commit: the user, the key or the deadline is new. Set together with it; it is not part of
    /// <see cref="RecordFormat"/> either.
    /// </summary>
    public bool IndexUser { get; init; }

    /// <summary>
    /// The session's own idle timeout, which goes before the one that a handler is given; null when it has none. A multiple of a second, minute, hour or day as
    /// <see cref="RecordFormat"/> can hold it.
    /// </summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Whether a commit is one of the last that made this record.</summary>
    public bool HasCommit(CommitId id) => CommitIds.Contains(id);

    /// <summary>
    /// How long a store keeps this record from <paramref name="now"/> on if nobody reads it: its own idle timeout or else the one given, cut off at the absolute
    /// deadline, and never less than a millisecond, which is what stores take as "now".
    /// </summary>
    public TimeSpan Lifetime(DateTimeOffset now, TimeSpan idleTimeout)
    {
        var left = AbsoluteDeadline - now;
        var idle = IdleTimeout ?? idleTimeout;
        var lifetime = left < idle ? left : idle;
        return lifetime > TimeSpan.FromMilliseconds(1) ? lifetime : TimeSpan.FromMilliseconds(1);
    }

    /// <summary>
    /// Whether the record's commit ids reach back far enough to tell if a commit on top of <paramref name="expected"/> is among its
    /// ancestors. When not, a commit whose answer was lost must be reported as unknown instead of being applied again.
    /// </summary>
    public bool RemembersCommitsSince(SessionVersion expected) =>
        Version.Count <= expected.Count || Version.Count - expected.Count <= (ulong)CommitIds.Length;

    /// <summary>What takes this record's place when its session has ended or moved.</summary>
    internal SessionRecord ClosedAs(SessionState state, CommitId commit, DateTimeOffset until) => new()
    {
        Version = Version.Next(commit),
        State = state,
        CreatedAt = CreatedAt,
        AbsoluteDeadline = until,
        CommitIds = CommitIdsWith(commit),
    };

    /// <summary>The same closed record with the key of the session that follows it.</summary>
    internal SessionRecord LeadingTo((PayloadFormat Format, ReadOnlyMemory<byte> Payload) target) => new()
    {
        Version = Version,
        State = State,
        CreatedAt = CreatedAt,
        AbsoluteDeadline = AbsoluteDeadline,
        CommitIds = CommitIds,
        PayloadFormat = target.Format,
        Payload = target.Payload,
    };

    /// <summary>The same record with its parts encrypted, in place of what it was made with.</summary>
    internal SessionRecord Encrypted(ReadOnlyMemory<byte> notes, ReadOnlyMemory<byte> payload) => new()
    {
        Version = Version,
        CreatedAt = CreatedAt,
        AbsoluteDeadline = AbsoluteDeadline,
        IdleTimeout = IdleTimeout,
        CommitIds = CommitIds,
        PayloadFormat = PayloadFormat.Protected,
        Notes = notes,
        Payload = payload,
        UserId = UserId,
        IndexUser = IndexUser,
        HoldsForeign = HoldsForeign,
    };

    /// <summary>The same record for a store that has not had it before: if it has a user, the index must learn of it.</summary>
    internal SessionRecord Indexed() => IndexUser || UserId is null ? this : new()
    {
        Version = Version,
        State = State,
        CreatedAt = CreatedAt,
        AbsoluteDeadline = AbsoluteDeadline,
        CommitIds = CommitIds,
        PayloadFormat = PayloadFormat,
        Notes = Notes,
        Payload = _payload,
        Values = Values,
        UserId = UserId,
        IndexUser = true,
        IdleTimeout = IdleTimeout,
        HoldsForeign = HoldsForeign,
    };

    internal ImmutableArray<CommitId> CommitIdsWith(CommitId id)
    {
        if (CommitIds.Length > 0 && CommitIds[0] == id)
            return CommitIds;
        var ids = new CommitId[Math.Min(CommitIds.Length + 1, MaxCommitIds)];
        ids[0] = id;
        CommitIds.AsSpan(0, ids.Length - 1).CopyTo(ids.AsSpan(1));
        return ImmutableCollectionsMarshal.AsImmutableArray(ids);
    }
}

/// <summary>What a record stands for.</summary>
public enum SessionState : byte
{
    /// <summary>A session with values.</summary>
    Live = 0,

    /// <summary>The session was destroyed. The record only keeps late writers out.</summary>
    Ended = 1,

    /// <summary>The session moved to a new id (login), and the old one is dead for good.</summary>
    Replaced = 2,

    /// <summary>The session moved to a new id (rotation); for a short time the old id leads there.</summary>
    Forward = 3,
}

/// <summary>How a payload is encoded.</summary>
public enum PayloadFormat : byte
{
    /// <summary>No values: a closed record. What follows it, if anything does, is in clear.</summary>
    None = 0,

    /// <summary>One MessagePack map, and before it an index if it is large.</summary>
    MessagePack = 1,

    /// <summary>
    /// Encrypted and authenticated by the application's <see cref="ISessionPayloadProtector"/>: a live session's notes and map, or the key that a closed record
    /// leads to.
    /// </summary>
    Protected = 2,
}
