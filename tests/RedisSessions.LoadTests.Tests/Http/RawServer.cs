using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RedisSessions.LoadTests.Tests.Http;

/// <summary>Answers each request with the same pieces, one send for each, and closes the connection after the last if it is told to.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;
    private int _requests;

    public RawServer(string[] pieces, bool closes = false)
    {
        _listener.Start();
        _accepting = AcceptAsync(pieces, closes);
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public int Requests => Volatile.Read(ref _requests);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync(string[] pieces, bool closes)
    {
        var serving = new List<Task>();
        try
        {
            while (true)
                serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_end.Token), pieces, closes));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket, string[] pieces, bool closes)
    {
        using var connection = socket;
        connection.NoDelay = true;
        var buffer = new byte[4096];
        try
        {
            // A request of these tests comes in one packet.
            while (await connection.ReceiveAsync(buffer, _end.Token) > 0)
            {
                Interlocked.Increment(ref _requests);
                foreach (var piece in pieces)
                {
                    await connection.SendAsync(Encoding.ASCII.GetBytes(piece), _end.Token);
                    await Task.Delay(1, _end.Token);
                }

                if (closes)
                    return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over, or the other side has gone.
        }
    }
}
