using RedisSessions.Values;

namespace RedisSessions;

/// <summary>
/// PHP's session formats, to and from the payload of a record (one MessagePack map). Data only: null, booleans, integers, doubles, strings and arrays. An entry at the top that holds
/// anything else (an object, an enum, a reference) is kept byte for byte for PHP and never looked into; nothing in a session can choose a type here.
/// </summary>
/// <remarks>
/// <para>Strings are bytes in PHP: those that are UTF-8 become strings, others become bytes. An array with the keys 0, 1, 2 … in this order becomes a list, any other a map.</para>
/// <para>The other way round bytes become strings, timestamps become strings (ISO 8601, UTC), integers beyond 64 bits with a sign become strings of digits, and keys that read as
/// integers become integers, which PHP would do itself.</para>
/// <para>
/// Time and memory are linear in the length, which is at most 64 MiB. Arrays that nest deeper than 63 levels are kept for PHP like objects; nothing may nest deeper than 4,096, which
/// is PHP's own limit.
/// </para>
/// </remarks>
public static class PhpSessionSerializer
{
    /// <summary>The longest session that is read, in bytes.</summary>
    public const int MaxLength = 64 * 1024 * 1024;

    /// <summary>Reads a session.</summary>
    /// <param name="session">What PHP has stored.</param>
    /// <param name="format">How.</param>
    /// <returns>One MessagePack map: a <see cref="SessionRecord.Payload"/>. What only PHP can read is in it for this process alone: it is no payload to be stored.</returns>
    /// <exception cref="FormatException">This is no session in this format; the message says what is wrong and quotes nothing.</exception>
    public static ReadOnlyMemory<byte> Read(ReadOnlyMemory<byte> session, PhpSessionFormat format) => Read(session, format, out _);

    /// <summary>Writes a session.</summary>
    /// <param name="payload">One MessagePack map, as <see cref="Read(ReadOnlyMemory{byte}, PhpSessionFormat)"/> returns it.</param>
    /// <param name="format">How PHP will read it.</param>
    /// <returns>What PHP's own encoder would write, but for the number of digits of doubles, which is the least that tells them apart.</returns>
    /// <exception cref="FormatException">
    /// The payload is no MessagePack map; or it has a key at the top that the format cannot hold; or it keeps a PHP reference to an entry that is not there any more. The message names
    /// the key.
    /// </exception>
    public static byte[] Write(ReadOnlyMemory<byte> payload, PhpSessionFormat format)
    {
        Packed.ValidateMap(payload.Span);
        return new PhpPayloadWriter(format).Write(payload.Span);
    }

    internal static ReadOnlyMemory<byte> Read(ReadOnlyMemory<byte> session, PhpSessionFormat format, out bool holdsForeign)
    {
        if (session.Length > MaxLength)
            throw new FormatException($"the PHP session has {session.Length} bytes, and at most {MaxLength} are read");
        if (format == PhpSessionFormat.SerializedString)
            session = Unwrap(session);
        var reader = new PhpPayloadReader(session, format);
        var payload = reader.Read();
        holdsForeign = reader.HoldsForeign;
        return payload;
    }

    private static ReadOnlyMemory<byte> Unwrap(ReadOnlyMemory<byte> session)
    {
        var scanner = new PhpScanner(session.Span);
        if (scanner.Next() != PhpToken.String || !scanner.IsAtEnd)
            throw PhpScanner.Damaged();
        // Behind it are a quotation mark and a semicolon.
        return session.Slice(session.Length - 2 - scanner.Content.Length, scanner.Content.Length);
    }
}
