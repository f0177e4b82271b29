using System.Buffers;
using MessagePack;
using MessagePack.Formatters;

namespace RedisSessions.Values;

/// <summary>
/// What writing one object may cost. The serializer itself follows references as deep as they go, until the stack ends and the process with it,
/// and an enumeration for as long as that goes on. One instance for each object that is written.
/// </summary>
internal sealed class WritingLimits : MessagePackSerializerOptions
{
    // One level of a value takes several formatters: of object, of the type behind it, of a nullable type around that. The levels themselves
    // are counted in what was written; this is where writing ends.
    private const int MaxFormatters = 4 * Packed.MaxDepth;

    private readonly Spent _spent;

    private WritingLimits(MessagePackSerializerOptions options, Spent spent) : base(options) => _spent = spent;

    /// <summary>The same options with limits, for one object.</summary>
    /// <param name="options">Made by <see cref="WithLimits"/>.</param>
    /// <param name="maxSize">The largest session. What is a little larger is written, for the commit to say what takes the room.</param>
    public static WritingLimits For(MessagePackSerializerOptions options, int maxSize)
    {
        // Buffers have up to twice the length that was asked for, and the first one at least 32 KiB.
        var spent = new Spent(4L * maxSize + (1 << 20));
        return new WritingLimits(options.WithPool(new SequencePool(1, spent)), spent);
    }

    /// <summary>Options whose formatters keep to the limits of <see cref="For"/>.</summary>
    public static MessagePackSerializerOptions WithLimits(MessagePackSerializerOptions options) =>
        options.WithResolver(new LimitingResolver(options.Resolver));

    protected override MessagePackSerializerOptions Clone() => new WritingLimits(this, _spent);

    /// <summary>An object does not keep to the limits. The message is the reason; the stack is that of the recursion, and says nothing.</summary>
    public sealed class LimitException(string message) : MessagePackSerializationException(message);

    /// <summary>Every formatter asks for those of its parts here, so nothing nests without passing by.</summary>
    private sealed class LimitingResolver(IFormatterResolver inner) : IFormatterResolver
    {
        public IMessagePackFormatter<T>? GetFormatter<T>() => Limited<T>.Of(inner);
    }

    private sealed class Limited<T>(IMessagePackFormatter<T> inner) : IMessagePackFormatter<T>
    {
        private static Limited<T>? _made;

        public static Limited<T>? Of(IFormatterResolver resolver) =>
            _made ??= resolver.GetFormatter<T>() is { } formatter ? new Limited<T>(formatter) : null;

        public void Serialize(ref MessagePackWriter writer, T value, MessagePackSerializerOptions options)
        {
            var spent = ((WritingLimits)options)._spent;
            if (spent.Formatters == MaxFormatters)
                throw new LimitException($"it contains itself, or nests deeper than {Packed.MaxDepth} levels.");
            spent.Formatters++;
            inner.Serialize(ref writer, value, options);
            spent.Formatters--;
        }

        public T Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => inner.Deserialize(ref reader, options);
    }

    /// <summary>What has been spent; all buffers of the serializer come from here.</summary>
    private sealed class Spent(long most) : ArrayPool<byte>
    {
        private long _rented;

        public int Formatters { get; set; }

        public override byte[] Rent(int minimumLength)
        {
            if (_rented + minimumLength > most)
                throw new LimitException("it has no end, or is several times as large as Sessions:MaxSize allows.");
            var array = Shared.Rent(minimumLength);
            _rented += array.Length;
            return array;
        }

        public override void Return(byte[] array, bool clearArray = false)
        {
            _rented -= array.Length;
            Shared.Return(array, clearArray);
        }
    }
}
