using System.Text;
using RedisSessions.LoadTests.Http;

namespace RedisSessions.LoadTests.Tests.Http;

public sealed class ResponseParserTests
{
    private const string Chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n";

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello")]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", 200, "")]
    [InlineData("HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n", 204, "")]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}", 503, "{}")]
    [InlineData(Chunked + "5\r\nhello\r\n0\r\n\r\n", 200, "hello")]
    [InlineData(Chunked + "5\r\nhello\r\nb\r\n, and again\r\n1\r\n!\r\n0\r\n\r\n", 200, "hello, and again!")]
    [InlineData(Chunked + "0\r\n\r\n", 200, "")]
    public void A_response_is_whole_when_its_last_byte_is_there_and_not_before(string text, int status, string body)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var length = 0; length < bytes.Length; length++)
            Assert.False(ResponseParser.TryParse(bytes.AsSpan(0, length), out _), $"whole after {length} of {bytes.Length} bytes");
        Assert.True(ResponseParser.TryParse(bytes, out var response));
        Assert.Equal((status, body, bytes.Length), (response.Status, Encoding.ASCII.GetString(response.Body), response.Length));
    }

    [Fact]
    public void What_follows_a_response_is_not_part_of_it()
    {
        var bytes = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Oh\r\n");
        Assert.True(ResponseParser.TryParse(bytes, out var response));
        Assert.Equal("ok", Encoding.ASCII.GetString(response.Body));
        Assert.Equal(bytes.Length - "HTTP/1.1 500 Oh\r\n".Length, response.Length);
    }

    [Theory]
    [InlineData("Set-Cookie: session=abc; path=/; httponly", "abc")]
    [InlineData("Set-Cookie: other=x\r\nset-cookie: session=abc", "abc")]
    [InlineData("Set-Cookie: sessions=x\r\nSet-Cookie: session=; expires=Thu, 01 Jan 1970 00:00:00 GMT", "")]
    [InlineData("Set-Cookie: other=session=x", null)]
    [InlineData("Date: now", null)]
    public void The_session_cookie_is_found_among_others(string headers, string? cookie)
    {
        Assert.True(ResponseParser.TryParse(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{headers}\r\nContent-Length: 0\r\n\r\n"), out var response));
        Assert.Equal(cookie, response.Cookie("session"u8));
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nDate: now\r\n\r\n")]
    [InlineData(Chunked + "x\r\nhello\r\n")]
    [InlineData(Chunked + "4\r\nhello\r\n")]
    public void What_is_no_response_is_refused(string text) =>
        Assert.Throws<FormatException>(() => ResponseParser.TryParse(Encoding.ASCII.GetBytes(text), out _));
}
