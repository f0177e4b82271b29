using System.Net.Sockets;

namespace RedisSessions.LoadTests.Http;

/// <summary>
/// Many requests at once, at the least cost: one thread writes them all and then waits for one answer after the other, because only the last one is timed. A task
/// for each costs several times as much processor, and it is the processor of what is measured. Each connection goes to one instance, in turns.
/// </summary>
internal sealed class Burst : IDisposable
{
    private const int PatienceMilliseconds = 30_000;
    private readonly IReadOnlyList<Uri> _instances;
    private readonly Dialect _dialect;
    private readonly Socket?[] _connections;
    private readonly byte[] _buffer = new byte[16 * 1024];

    /// <param name="instances">Where the site is.</param>
    /// <param name="dialect">What it calls things.</param>
    /// <param name="size">How many requests at most.</param>
    public Burst(IReadOnlyList<Uri> instances, Dialect dialect, int size) => (_instances, _dialect, _connections) = (instances, dialect, new Socket?[size]);

    /// <summary>Requests for the connections from the first one on, one for each cookie.</summary>
    /// <param name="path">Path and query, escaped.</param>
    /// <param name="cookies">Session cookies.</param>
    public byte[][] Requests(string path, IEnumerable<string> cookies) => [.. cookies.Select((cookie, i) => _dialect.Request(Instance(i), path, cookie))];

    /// <summary>Sends a request over each connection from this one on, and waits for all answers. Connections are opened before, and kept.</summary>
    /// <param name="requests">What <see cref="Requests"/> made for these connections.</param>
    /// <param name="first">The first connection.</param>
    /// <param name="time">Measures.</param>
    /// <returns>How long it took until the last answer was there, and what they were.</returns>
    public (TimeSpan Last, HttpAnswer[] Answers) Send(ReadOnlySpan<byte[]> requests, int first, TimeProvider time)
    {
        var answers = new HttpAnswer?[requests.Length];
        for (var i = 0; i < answers.Length; i++)
            answers[i] = TryOpen(first + i) ? null : HttpAnswer.Unsent;
        var started = time.GetTimestamp();
        for (var i = 0; i < answers.Length; i++)
        {
            if (answers[i] is null && !TryWrite(first + i, requests[i]))
                answers[i] = HttpAnswer.Lost;
        }

        for (var i = 0; i < answers.Length; i++)
            answers[i] ??= Read(first + i);
        return (time.GetElapsedTime(started), (HttpAnswer[])answers!);
    }

    public void Dispose()
    {
        for (var i = 0; i < _connections.Length; i++)
            Close(i);
    }

    private Uri Instance(int connection) => _instances[connection % _instances.Count];

    private bool TryOpen(int connection)
    {
        if (_connections[connection] is not null)
            return true;
        // Never used asynchronously, so a wait for it is one system call.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = PatienceMilliseconds, SendTimeout = PatienceMilliseconds };
        try
        {
            socket.Connect(Instance(connection).Host, Instance(connection).Port);
            _connections[connection] = socket;
            return true;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return false;
        }
    }

    private bool TryWrite(int connection, byte[] request)
    {
        try
        {
            return _connections[connection]!.Send(request) == request.Length;
        }
        catch (SocketException)
        {
            Close(connection);
            return false;
        }
    }

    private HttpAnswer Read(int connection)
    {
        try
        {
            var filled = 0;
            while (filled < _buffer.Length && _connections[connection]!.Receive(_buffer.AsSpan(filled)) is > 0 and var received)
            {
                filled += received;
                if (HttpAnswer.Of(_buffer.AsSpan(0, filled)) is { } answer)
                    return answer;
            }
        }
        catch (Exception e) when (e is SocketException or FormatException)
        {
            // As when it closed the connection.
        }

        Close(connection);
        return HttpAnswer.Lost;
    }

    private void Close(int connection)
    {
        _connections[connection]?.Dispose();
        _connections[connection] = null;
    }
}
