using System.Buffers;
using System.Buffers.Binary;
using System.Collections.ObjectModel;
using System.Text;
using System.Text.Unicode;
using MessagePack;
using MessagePack.Formatters;
using MessagePack.Resolvers;

namespace RedisSessions.Values;

/// <summary>The kinds of value a session holds.</summary>
internal enum SessionValueKind
{
    Null,
    Boolean,
    Integer,
    Double,
    String,
    Bytes,
    Timestamp,

    /// <summary>An exact decimal, see <see cref="PackedDecimal"/>.</summary>
    Decimal,

    /// <summary>A date with a kind or an offset, see <see cref="PackedDate"/>.</summary>
    Date,
    List,
    Map,

    /// <summary>What only PHP can read, see <see cref="PhpForeign"/>.</summary>
    Foreign,
}

/// <summary>
/// One value: the MessagePack bytes of it, and the way between those and .NET objects. It is a copy of what it was made from: changing
/// the object afterwards changes nothing here. Two values are the same when their bytes are.
/// </summary>
internal readonly struct SessionValue(ReadOnlyMemory<byte> packed)
{
    // Untrusted, because the store is not part of the program; no type names, because a name in the store would choose a type here.
    private static readonly MessagePackSerializerOptions Options = MessagePackSerializerOptions.Standard
        .WithSecurity(MessagePackSecurity.UntrustedData.WithMaximumObjectGraphDepth(Packed.MaxDepth))
        .WithResolver(CompositeResolver.Create(
            [
                new PackedDate.DateTimeOffsetFormatter(), new NullableFormatter<DateTimeOffset>(), new PackedDate.DateTimeFormatter(),
                new NullableFormatter<DateTime>(), new PackedDecimal.Formatter(), new NullableFormatter<decimal>(),
            ],
            [new NoTypeNames(), ContractlessStandardResolver.Instance]));

    private static readonly byte[] True = [MessagePackCode.True], False = [MessagePackCode.False];

    public static SessionValue Null => new(RedisSessions.Values.Packed.Nil);

    public ReadOnlyMemory<byte> Bytes { get; } = packed;

    public SessionValueKind Kind => Packed.KindOf(Bytes.Span[0]);

    /// <summary>Encodes an object.</summary>
    /// <exception cref="ArgumentException">It has no form as a session value.</exception>
    public static SessionValue From<T>(T value)
    {
        if (value is null)
            return Null;
        // What most values are, without the serializer, and byte for byte as it would write them.
        switch (value)
        {
            case string text:
                return FromText(text);
            case int number:
                return FromInteger(number);
            case long number:
                return FromInteger(number);
            case bool truth:
                return new(truth ? True : False);
        }

        try
        {
            // A value stored through a base type or an interface is stored as what it is.
            var bytes = typeof(T).IsValueType || typeof(T).IsSealed
                ? MessagePackSerializer.Serialize(value, Options)
                : MessagePackSerializer.Serialize(value.GetType(), value, Options);
            Packed.Validate(bytes);
            return new SessionValue(bytes);
        }
        catch (Exception e) when (e is MessagePackSerializationException or FormatException or TypeAccessException or MethodAccessException)
        {
            throw new ArgumentException(
                $"A {value.GetType()} cannot be stored in a session: {Innermost(e).Message} "
                + "Store values, lists, maps or public classes with public properties.", nameof(value), e);
        }
    }

    /// <summary>Decodes into a type.</summary>
    /// <exception cref="MessagePackSerializationException">The value is not of this type.</exception>
    public T? To<T>()
    {
        if (Kind == SessionValueKind.Null && default(T) is null)
            return default;
        if (typeof(T) == typeof(object))
            return (T?)ToObject();
        // The same again the other way; what is no such value is left to the serializer, and so is the exception that it makes of it.
        if (typeof(T) == typeof(string) && Kind == SessionValueKind.String)
            return (T)(object)Text();
        if (typeof(T) == typeof(long) && TryGetInteger(out var wide))
            return (T)(object)wide;
        if (typeof(T) == typeof(int) && TryGetInteger(out wide) && wide is >= int.MinValue and <= int.MaxValue)
            return (T)(object)(int)wide;
        if (typeof(T) == typeof(bool) && Kind == SessionValueKind.Boolean)
            return (T)(object)(Bytes.Span[0] == MessagePackCode.True);
        if (Kind == SessionValueKind.Bytes && FromBytes<T>() is T meant)
            return meant;
        return MessagePackSerializer.Deserialize<T>(Bytes, Options);
    }

    /// <summary>
    /// As plain objects: null, bool, long (ulong beyond it), double, decimal, string, byte[], DateTimeOffset, DateTime, read-only list, read-only dictionary.
    /// </summary>
    public object? ToObject()
    {
        if (Kind == SessionValueKind.String)
            return Text();
        if (TryGetInteger(out var number))
            return number;
        var reader = new MessagePackReader(Bytes);
        return ReadObject(ref reader);
    }

    /// <summary>An integer that is not larger than a long.</summary>
    public bool TryGetInteger(out long number)
    {
        number = 0;
        var bytes = Bytes.Span;
        return Kind == SessionValueKind.Integer && !(bytes[0] == MessagePackCode.UInt64 && bytes[1] > sbyte.MaxValue) && MessagePackPrimitives.TryReadInt64(bytes, out number, out _) == MessagePackPrimitives.DecodeResult.Success;
    }

    /// <summary>As bytes, if there is a plain way: bytes, a string in UTF-8, an integer of 32 bits in big-endian order; else null.</summary>
    public byte[]? ToBytes() => Kind switch
    {
        SessionValueKind.Bytes => To<byte[]>(),
        SessionValueKind.String => Encoding.UTF8.GetBytes(To<string>()!),
        SessionValueKind.Integer when ToObject() is long and >= int.MinValue and <= int.MaxValue and var number => BigEndian((int)number),
        _ => null,
    };

    /// <summary>How many maps and lists this value has inside each other: 0 for a number, 1 for a list of numbers.</summary>
    public int Depth => Packed.Depth(Bytes.Span);

    /// <summary>Whether this is a map or a list without anything in it.</summary>
    public bool IsEmpty => Bytes.Span[0] is 0x80 or 0x90;

    public bool SameAs(SessionValue other) => Bytes.Span.SequenceEqual(other.Bytes.Span);

    private static SessionValue FromText(string text)
    {
        var bytes = new byte[PackedWriter.StringSize(text)];
        new PackedWriter(bytes).WriteString(text);
        return new(bytes);
    }

    private static SessionValue FromInteger(long number)
    {
        Span<byte> bytes = stackalloc byte[1 + sizeof(long)];
        MessagePackPrimitives.TryWrite(bytes, number, out var written);
        return new(bytes[..written].ToArray());
    }

    private string Text()
    {
        var header = RedisSessions.Values.Packed.ReadHeader(Bytes.Span);
        return Encoding.UTF8.GetString(Bytes.Span.Slice(header.Start, header.Length));
    }

    private static object? ReadObject(ref MessagePackReader reader)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Nil:
                reader.ReadNil();
                return null;
            case MessagePackType.Boolean:
                return reader.ReadBoolean();
            case MessagePackType.Integer when reader.NextCode == MessagePackCode.UInt64:
                var big = reader.ReadUInt64();
                return big <= long.MaxValue ? (long)big : big;
            case MessagePackType.Integer:
                return reader.ReadInt64();
            case MessagePackType.Float:
                return reader.ReadDouble();
            case MessagePackType.String:
                return reader.ReadString();
            case MessagePackType.Binary:
                return reader.ReadBytes()?.ToArray();
            case MessagePackType.Extension:
                return ReadExtension(ref reader);
            case MessagePackType.Array:
                var list = new object?[reader.ReadArrayHeader()];
                for (var i = 0; i < list.Length; i++)
                    list[i] = ReadObject(ref reader);
                return Array.AsReadOnly(list);
            default:
                var count = reader.ReadMapHeader();
                var map = new Dictionary<string, object?>(count, StringComparer.Ordinal);
                for (var i = 0; i < count; i++)
                {
                    var key = Packed.KeyText(reader.ReadRaw().ToArray());
                    var value = ReadObject(ref reader);
                    map.TryAdd(key, value);
                }

                return new ReadOnlyDictionary<string, object?>(map);
        }
    }

    private static object ReadExtension(ref MessagePackReader reader)
    {
        if (reader.NextCode is not (PackedDecimal.Code or PackedDate.Code))
            return new DateTimeOffset(reader.ReadDateTime());
        var extension = reader.ReadExtensionFormat();
        var content = Packed.Content(extension);
        return extension.TypeCode == PackedDecimal.Extension ? PackedDecimal.Read(content) : PackedDate.Read(content);
    }

    /// <summary>What ASP.NET Core's ISession stores as bytes, read as what it was: the other way round of <see cref="ToBytes"/>. Null when it was something else.</summary>
    private object? FromBytes<T>()
    {
        var type = Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T);
        if (type != typeof(string) && type != typeof(int) && type != typeof(long))
            return null;
        var bytes = MessagePackSerializer.Deserialize<byte[]>(Bytes, Options);
        if (type == typeof(string))
            return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : null;
        if (bytes.Length != sizeof(int))
            return null;
        var number = BinaryPrimitives.ReadInt32BigEndian(bytes);
        return type == typeof(int) ? (object)number : (long)number;
    }

    private static byte[] BigEndian(int number)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;

    /// <summary>MessagePack would store a <see cref="Type"/> by its name, and load what a name in the store names.</summary>
    private sealed class NoTypeNames : IFormatterResolver
    {
        public IMessagePackFormatter<T>? GetFormatter<T>() => typeof(T).IsAssignableTo(typeof(Type)) ? new Refusal<T>() : null;

        private sealed class Refusal<T> : IMessagePackFormatter<T>
        {
            public void Serialize(ref MessagePackWriter writer, T value, MessagePackSerializerOptions options) => throw Refused();

            public T Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => throw Refused();

            private static MessagePackSerializationException Refused() => new("a type is no value.");
        }
    }
}
