using System.Net.Sockets;

namespace RedisSessions.LoadTests.Http;

/// <summary>
/// One connection to one server, one request at a time: HTTP/1.1 over a socket and nothing more. The generator shares its processor with what it measures, and
/// <see cref="HttpClient"/> would take a good part of it.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly Socket _socket;
    private byte[] _buffer = new byte[8 * 1024];

    private HttpConnection(Socket socket) => _socket = socket;

    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async ValueTask<HttpConnection> OpenAsync(Uri target, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(target.Host, target.Port, cancellationToken);
            return new HttpConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request and waits for the whole response. After an exception the connection is of no use.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="IOException">The server closed it before the response was whole.</exception>
    /// <exception cref="FormatException">The answer is no response.</exception>
    public async ValueTask<HttpAnswer> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        while (request.Length > 0)
            request = request[await _socket.SendAsync(request, cancellationToken)..];
        var filled = 0;
        while (true)
        {
            if (filled == _buffer.Length)
                Array.Resize(ref _buffer, filled * 2);
            var received = await _socket.ReceiveAsync(_buffer.AsMemory(filled), cancellationToken);
            if (received == 0)
                throw new IOException("The server closed the connection before its response was whole.");
            filled += received;
            if (HttpAnswer.Of(_buffer.AsSpan(0, filled)) is { } answer)
                return answer;
        }
    }

    public void Dispose() => _socket.Dispose();
}
