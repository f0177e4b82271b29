using System.Globalization;
using MessagePack;
using MessagePack.Formatters;

namespace RedisSessions.Values;

/// <summary>
/// An exact decimal: a MessagePack extension of type 3 that holds its digits as text, <c>1.10</c>. Its length always takes two bytes, so that the first byte of a
/// value tells its kind.
/// </summary>
internal static class PackedDecimal
{
    public const byte Code = MessagePackCode.Ext16;
    public const sbyte Extension = 3;

    /// <summary>Where the digits begin.</summary>
    public const int Start = 4;

    /// <summary>A sign, 29 digits and a point.</summary>
    public const int Longest = 31;

    /// <summary>Whether these are the digits of a decimal, as they are written here and in no other way.</summary>
    public static bool IsValid(ReadOnlySpan<byte> digits)
    {
        Span<byte> written = stackalloc byte[Longest];
        return TryParse(digits, out var value) && value.TryFormat(written, out var length, default, CultureInfo.InvariantCulture)
            && digits.SequenceEqual(written[..length]);
    }

    private static bool TryParse(ReadOnlySpan<byte> digits, out decimal value) =>
        decimal.TryParse(digits, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);

    private static void Write(ref MessagePackWriter writer, decimal value)
    {
        var bytes = writer.GetSpan(Start + Longest);
        value.TryFormat(bytes[Start..], out var length, default, CultureInfo.InvariantCulture);
        (bytes[0], bytes[1], bytes[2], bytes[3]) = (Code, 0, (byte)length, (byte)Extension);
        writer.Advance(Start + length);
    }

    /// <summary>Reads the content of an extension.</summary>
    public static decimal Read(ReadOnlySpan<byte> digits) =>
        TryParse(digits, out var value) ? value : throw new MessagePackSerializationException("These are no digits of a decimal.");

    /// <summary>Writes the extension; reads it, an integer, and the text that decimals were before.</summary>
    public sealed class Formatter : IMessagePackFormatter<decimal>
    {
        public void Serialize(ref MessagePackWriter writer, decimal value, MessagePackSerializerOptions options) => Write(ref writer, value);

        public decimal Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => reader.NextMessagePackType switch
        {
            MessagePackType.Extension => ReadExtension(ref reader),
            MessagePackType.Integer when reader.NextCode == MessagePackCode.UInt64 => reader.ReadUInt64(),
            MessagePackType.Integer => reader.ReadInt64(),
            _ => DecimalFormatter.Instance.Deserialize(ref reader, options),
        };

        private static decimal ReadExtension(ref MessagePackReader reader)
        {
            var extension = reader.ReadExtensionFormat();
            return extension.TypeCode == Extension
                ? Read(Packed.Content(extension))
                : throw new MessagePackSerializationException("The value is no decimal.");
        }
    }
}
