using System.Buffers.Binary;
using MessagePack;
using MessagePack.Formatters;

namespace RedisSessions.Values;

/// <summary>
/// A date that is no instant in UTC: a MessagePack extension of type 4 with the time on the clock, the offset, and what kind of date it is. A
/// <see cref="DateTimeOffset"/> in UTC is a timestamp of MessagePack's own, which other programs read too.
/// </summary>
internal static class PackedDate
{
    public const byte Code = MessagePackCode.FixExt16;
    public const sbyte Extension = 4;

    /// <summary>Where the content begins, and how long it is: ticks (8 bytes), offset in minutes (2), kind (1), zeros (5).</summary>
    public const int Start = 2, Length = 16;

    private const int OffsetAt = 8, KindAt = 10, ZerosAt = 11, MostMinutes = 14 * 60;

    // The first three are those of DateTimeKind.
    private const byte WithOffset = 3;

    /// <summary>Whether the content is a date as it is written here, and in no other way.</summary>
    public static bool IsValid(ReadOnlySpan<byte> content)
    {
        var (ticks, minutes, kind) = Parts(content);
        return ticks >= 0 && ticks <= DateTime.MaxValue.Ticks && kind <= WithOffset && content[ZerosAt..].IndexOfAnyExcept((byte)0) < 0
            && kind switch
            {
                (byte)DateTimeKind.Unspecified or (byte)DateTimeKind.Utc => minutes == 0,
                WithOffset when minutes == 0 => false,
                _ => minutes is >= -MostMinutes and <= MostMinutes && ticks - minutes * TimeSpan.TicksPerMinute is >= 0 and var instant
                    && instant <= DateTime.MaxValue.Ticks,
            };
    }

    /// <summary>Reads the content of an extension: a <see cref="DateTime"/> of its kind, or a <see cref="DateTimeOffset"/>.</summary>
    public static object Read(ReadOnlySpan<byte> content)
    {
        if (content.Length != Length || !IsValid(content))
            throw new MessagePackSerializationException("This is no date.");
        var (ticks, minutes, kind) = Parts(content);
        return kind switch
        {
            // As objects, or the compiler would make all of them a DateTimeOffset.
            WithOffset => (object)new DateTimeOffset(ticks, TimeSpan.FromMinutes(minutes)),
            // The clock of this machine may be in another zone than the one that wrote it: the instant is what counts.
            (byte)DateTimeKind.Local => (object)new DateTimeOffset(ticks, TimeSpan.FromMinutes(minutes)).LocalDateTime,
            _ => (object)new DateTime(ticks, (DateTimeKind)kind),
        };
    }

    private static (long Ticks, short Minutes, byte Kind) Parts(ReadOnlySpan<byte> content) =>
        (BinaryPrimitives.ReadInt64BigEndian(content), BinaryPrimitives.ReadInt16BigEndian(content[OffsetAt..]), content[KindAt]);

    private static void Write(ref MessagePackWriter writer, long ticks, TimeSpan offset, byte kind)
    {
        var bytes = writer.GetSpan(Start + Length)[..(Start + Length)];
        bytes.Clear();
        (bytes[0], bytes[1]) = (Code, (byte)Extension);
        BinaryPrimitives.WriteInt64BigEndian(bytes[Start..], ticks);
        BinaryPrimitives.WriteInt16BigEndian(bytes[(Start + OffsetAt)..], (short)offset.TotalMinutes);
        bytes[Start + KindAt] = kind;
        writer.Advance(bytes.Length);
    }

    private static object ReadAny(ref MessagePackReader reader)
    {
        if (reader.NextMessagePackType != MessagePackType.Extension)
            throw new MessagePackSerializationException("The value is no date.");
        var extension = reader.ReadExtensionFormat();
        return extension.TypeCode switch
        {
            Extension => Read(Packed.Content(extension)),
            _ => throw new MessagePackSerializationException("The value is no date."),
        };
    }

    // What other readers take for a timestamp is left to MessagePack.
    private static bool IsTimestamp(in MessagePackReader reader) =>
        reader.NextMessagePackType == MessagePackType.Extension && reader.NextCode != Code && reader.NextCode != PackedDecimal.Code;

    /// <summary>Keeps the kind. Reads a timestamp as UTC.</summary>
    public sealed class DateTimeFormatter : IMessagePackFormatter<DateTime>
    {
        public void Serialize(ref MessagePackWriter writer, DateTime value, MessagePackSerializerOptions options) =>
            Write(ref writer, value.Ticks, value.Kind == DateTimeKind.Local ? new DateTimeOffset(value).Offset : TimeSpan.Zero, (byte)value.Kind);

        public DateTime Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) =>
            IsTimestamp(reader) ? reader.ReadDateTime() : ReadAny(ref reader) is var date && date is DateTimeOffset time ? time.UtcDateTime : (DateTime)date;
    }

    /// <summary>Keeps the offset. Reads a timestamp as one in UTC, and refuses a date of no zone.</summary>
    public sealed class DateTimeOffsetFormatter : IMessagePackFormatter<DateTimeOffset>
    {
        public void Serialize(ref MessagePackWriter writer, DateTimeOffset value, MessagePackSerializerOptions options)
        {
            if (value.Offset == TimeSpan.Zero)
                writer.Write(value.UtcDateTime);
            else
                Write(ref writer, value.Ticks, value.Offset, WithOffset);
        }

        public DateTimeOffset Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) =>
            IsTimestamp(reader) ? new(reader.ReadDateTime()) : ReadAny(ref reader) switch
            {
                DateTimeOffset time => time,
                DateTime { Kind: not DateTimeKind.Unspecified } time => new DateTimeOffset(time),
                _ => throw new MessagePackSerializationException("The date has neither an offset nor a zone: read it as a DateTime."),
            };
    }
}
