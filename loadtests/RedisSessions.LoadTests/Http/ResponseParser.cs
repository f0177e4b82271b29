using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace RedisSessions.LoadTests.Http;

/// <summary>One whole HTTP/1.1 response in a buffer.</summary>
internal readonly ref struct ParsedResponse
{
    public required int Status { get; init; }

    /// <summary>Status line and headers.</summary>
    public required ReadOnlySpan<byte> Head { get; init; }

    /// <summary>The body, put together where it came in chunks.</summary>
    public required ReadOnlySpan<byte> Body { get; init; }

    /// <summary>Bytes of the buffer that it took.</summary>
    public required int Length { get; init; }

    /// <summary>The value of a cookie that the response sets, or null.</summary>
    public string? Cookie(ReadOnlySpan<byte> name)
    {
        var rest = Head;
        while (ResponseParser.Header(rest, "set-cookie"u8, out var after) is { IsEmpty: false } value)
        {
            if (value.Length > name.Length && value.StartsWith(name) && value[name.Length] == '=')
            {
                value = value[(name.Length + 1)..];
                return Encoding.ASCII.GetString(value.IndexOf((byte)';') is >= 0 and var end ? value[..end] : value);
            }

            rest = rest[after..];
        }

        return null;
    }
}

/// <summary>Reads responses of servers that keep the connection: with Content-Length, in chunks, or without a body.</summary>
internal static class ResponseParser
{
    /// <summary>Reads the response that the bytes begin with. Starts anew each time: responses of a load test fit one packet mostly.</summary>
    /// <returns>False when there is more to come.</returns>
    /// <exception cref="FormatException">This is no response that can be read on a connection that is kept.</exception>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out ParsedResponse response)
    {
        response = default;
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return false;
        var head = bytes[..(end + 2)];
        if (!head.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(head[9..], out int status, out var digits) || digits != 3)
            throw new FormatException("The answer is no HTTP/1.1 response.");
        var rest = bytes[(end + 4)..];

        ReadOnlySpan<byte> body;
        int length;
        if (Header(head, "content-length"u8, out _) is { IsEmpty: false } text)
        {
            if (!Utf8Parser.TryParse(text, out length, out var used) || used != text.Length || length < 0)
                throw new FormatException("The response has a Content-Length that is no number.");
            if (rest.Length < length)
                return false;
            body = rest[..length];
        }
        else if (Header(head, "transfer-encoding"u8, out _).SequenceEqual("chunked"u8))
        {
            if (!TryReadChunks(rest, out body, out length))
                return false;
        }
        else if (status is 204 or 304)
        {
            body = [];
            length = 0;
        }
        else
        {
            throw new FormatException($"The response, status {status}, does not say where it ends.");
        }

        response = new ParsedResponse { Status = status, Head = head, Body = body, Length = end + 4 + length };
        return true;
    }

    /// <summary>The value of the first header of this name, or nothing.</summary>
    /// <param name="head">Lines that each end in CRLF.</param>
    /// <param name="name">In lower case.</param>
    /// <param name="after">Where the line after it begins.</param>
    public static ReadOnlySpan<byte> Header(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name, out int after)
    {
        after = 0;
        while (after < head.Length)
        {
            var line = head[after..];
            line = line[..line.IndexOf("\r\n"u8)];
            after += line.Length + 2;
            if (line.Length > name.Length && line[name.Length] == ':' && Ascii.EqualsIgnoreCase(line[..name.Length], name))
                return line[(name.Length + 1)..].Trim(" \t"u8);
        }

        return [];
    }

    private static bool TryReadChunks(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> body, out int length)
    {
        body = [];
        length = 0;
        ArrayBufferWriter<byte>? parts = null;
        while (true)
        {
            var rest = bytes[length..];
            var line = rest.IndexOf("\r\n"u8);
            if (line < 0)
                return false;
            if (!Utf8Parser.TryParse(rest[..line], out int size, out _, 'x') || size < 0)
                throw new FormatException("The response has a chunk without a size.");
            // The chunk and the line break after it; the last one is empty. Kestrel sends no trailers here.
            if (rest.Length < line + 2 + size + 2)
                return false;
            if (!rest.Slice(line + 2 + size, 2).SequenceEqual("\r\n"u8))
                throw new FormatException("The response has a chunk that does not end where it says.");
            length += line + 2 + size + 2;
            if (size == 0)
            {
                if (parts is not null)
                    body = parts.WrittenSpan;
                return true;
            }

            var chunk = rest.Slice(line + 2, size);
            if (body.IsEmpty)
            {
                body = chunk;
                continue;
            }

            if (parts is null)
            {
                parts = new ArrayBufferWriter<byte>();
                parts.Write(body);
            }

            parts.Write(chunk);
        }
    }
}
