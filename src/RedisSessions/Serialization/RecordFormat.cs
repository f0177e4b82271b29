using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace RedisSessions;

/// <summary>
/// A record as bytes, for handlers whose store keeps bytes: a fixed header of <see cref="HeaderLength"/> bytes, then the notes, then the payload.
/// <c>docs/format.md</c> specifies every byte. A reader refuses what it does not know.
/// </summary>
public static class RecordFormat
{
    /// <summary>The length of the header in bytes.</summary>
    public const int HeaderLength = 104;

    /// <summary>Where the record version stands: eight bytes, big-endian. A store can compare them without reading the rest.</summary>
    public const int VersionOffset = 8;

    /// <summary>The length of the record version in bytes.</summary>
    public const int VersionLength = sizeof(ulong);

    private const byte FormatVersion = 2;

    // The session's own idle timeout: a unit in the two highest bits, how many of it in the other fourteen; 0 is none.
    private const int IdleOffset = 6, IdleUnitBits = 14, MostIdleUnits = (1 << IdleUnitBits) - 1;
    private static readonly TimeSpan[] IdleUnits = [TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), TimeSpan.FromDays(1)];

    private const int CreatedOffset = 16, DeadlineOffset = 24, LengthOffset = 32, NotesLengthOffset = 36, CommitIdsOffset = 40;

    private static ReadOnlySpan<byte> Magic => "RS"u8;

    /// <summary>The bytes of a record.</summary>
    public static byte[] Write(SessionRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        var bytes = GC.AllocateUninitializedArray<byte>(HeaderLength + record.Notes.Length + record.PayloadLength);
        Write(record, bytes);
        return bytes;
    }

    /// <summary>The same bytes for a store that has a buffer for them: a large record then needs no memory of its own.</summary>
    /// <param name="record">The record.</param>
    /// <param name="destination">Is given all of the record in one piece.</param>
    public static void Write(SessionRecord record, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(destination);
        var length = HeaderLength + record.Notes.Length + record.PayloadLength;
        Write(record, destination.GetSpan(length)[..length]);
        destination.Advance(length);
    }

    private static void Write(SessionRecord record, Span<byte> bytes)
    {
        // Also where there is nothing to say: the bytes come from anywhere.
        bytes[..HeaderLength].Clear();
        Magic.CopyTo(bytes);
        bytes[2] = FormatVersion;
        bytes[3] = (byte)record.PayloadFormat;
        bytes[4] = (byte)record.State;
        bytes[5] = (byte)record.CommitIds.Length;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[IdleOffset..], record.IdleTimeout is { } idle ? IdleCode(idle) : (ushort)0);
        WriteVersion(record.Version, bytes[VersionOffset..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes[CreatedOffset..], record.CreatedAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(bytes[DeadlineOffset..], record.AbsoluteDeadline.ToUnixTimeMilliseconds());
        var notes = record.Notes.Span;
        BinaryPrimitives.WriteInt32BigEndian(bytes[LengthOffset..], bytes.Length - HeaderLength - notes.Length);
        BinaryPrimitives.WriteInt32BigEndian(bytes[NotesLengthOffset..], notes.Length);
        for (var i = 0; i < record.CommitIds.Length; i++)
            BinaryPrimitives.WriteUInt64BigEndian(bytes[(CommitIdsOffset + i * sizeof(ulong))..], record.CommitIds[i].Value);
        notes.CopyTo(bytes[HeaderLength..]);
        record.WritePayload(bytes[(HeaderLength + notes.Length)..]);
    }

    /// <summary>Writes a version as it stands in the header, for a store to compare with.</summary>
    /// <param name="version">The version.</param>
    /// <param name="destination">At least <see cref="VersionLength"/> bytes.</param>
    public static void WriteVersion(SessionVersion version, Span<byte> destination) =>
        BinaryPrimitives.WriteUInt64BigEndian(destination, version.Value);

    /// <summary>Reads a record; its notes and its payload are slices of the bytes given, not copies.</summary>
    /// <exception cref="FormatException">This is not a record, or one of an unknown version; the message says what is wrong and never quotes bytes.</exception>
    public static SessionRecord Read(ReadOnlyMemory<byte> bytes)
    {
        var span = bytes.Span;
        if (span.Length < HeaderLength)
            throw new FormatException($"the record is truncated: {span.Length} bytes, and a header has {HeaderLength}");
        if (!span.StartsWith(Magic))
            throw new FormatException("this is no session record: it does not begin with the record mark");
        if (span[2] != FormatVersion)
            throw new FormatException($"the record has format version {span[2]}, and this library reads version {FormatVersion}");
        if (!Enum.IsDefined((PayloadFormat)span[3]))
            throw new FormatException($"the record has payload format {span[3]}, which this library does not read");
        if (!Enum.IsDefined((SessionState)span[4]))
            throw new FormatException($"the record has state {span[4]}, which this library does not know");
        if (span[5] > SessionRecord.MaxCommitIds)
            throw new FormatException("the record's header is damaged");

        var length = BinaryPrimitives.ReadInt32BigEndian(span[LengthOffset..]);
        var notesLength = BinaryPrimitives.ReadInt32BigEndian(span[NotesLengthOffset..]);
        if (length < 0 || notesLength < 0 || (long)length + notesLength != span.Length - HeaderLength)
        {
            throw new FormatException(
                $"the record is truncated or damaged: {span.Length - HeaderLength} bytes after the header, and it says {notesLength} of notes and {length} of payload");
        }

        var version = BinaryPrimitives.ReadUInt64BigEndian(span[VersionOffset..]);
        if (SessionVersion.FromValue(version).Count == 0)
            throw new FormatException("the record's header is damaged: version 0");

        var ids = new CommitId[span[5]];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = new CommitId(BinaryPrimitives.ReadUInt64BigEndian(span[(CommitIdsOffset + i * sizeof(ulong))..]));

        return new SessionRecord
        {
            Version = SessionVersion.FromValue(version),
            State = (SessionState)span[4],
            CreatedAt = ReadTime(span[CreatedOffset..]),
            AbsoluteDeadline = ReadTime(span[DeadlineOffset..]),
            CommitIds = ImmutableCollectionsMarshal.AsImmutableArray(ids),
            PayloadFormat = (PayloadFormat)span[3],
            Notes = bytes.Slice(HeaderLength, notesLength),
            Payload = bytes[(HeaderLength + notesLength)..],
            IdleTimeout = ReadIdle(BinaryPrimitives.ReadUInt16BigEndian(span[IdleOffset..])),
        };
    }

    /// <summary>The idle timeout that a record can hold which is nearest to this one, and not shorter.</summary>
    /// <param name="idleTimeout">1 second to 16,383 days.</param>
    internal static TimeSpan Representable(TimeSpan idleTimeout)
    {
        var unit = Array.Find(IdleUnits, unit => idleTimeout <= unit * MostIdleUnits);
        return unit * Math.Ceiling(idleTimeout / unit);
    }

    // Exact for what Representable returns; a handler of somebody else's may pass anything, which is stored as the next one that can be.
    internal static ushort IdleCode(TimeSpan idleTimeout)
    {
        for (var unit = 0; unit < IdleUnits.Length; unit++)
        {
            var units = Math.Ceiling(idleTimeout / IdleUnits[unit]);
            if (units is >= 1 and <= MostIdleUnits)
                return (ushort)((unit << IdleUnitBits) | (int)units);
        }

        throw new ArgumentOutOfRangeException(nameof(idleTimeout), idleTimeout, "An idle timeout is from 1 second to 16,383 days.");
    }

    private static TimeSpan? ReadIdle(ushort code)
    {
        if (code == 0)
            return null;
        var idle = IdleUnits[code >> IdleUnitBits] * (code & MostIdleUnits);
        // One spelling for one timeout, so that a record is written as it was read.
        return idle > TimeSpan.Zero && IdleCode(idle) == code ? idle : throw new FormatException("the record's header is damaged: no such idle timeout");
    }

    private static DateTimeOffset ReadTime(ReadOnlySpan<byte> span)
    {
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(span);
        // The range that DateTimeOffset can hold; anything else would be an ArgumentOutOfRangeException in the middle of a request.
        if (milliseconds is < -62_135_596_800_000 or > 253_402_300_799_999)
            throw new FormatException("the record's header is damaged: a time out of range");
        return DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }
}
