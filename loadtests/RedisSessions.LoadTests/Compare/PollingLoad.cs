using System.Diagnostics;
using System.Net.Sockets;
using HdrHistogram;
using RedisSessions.LoadTests.Http;

namespace RedisSessions.LoadTests.Compare;

/// <summary>Whether a body is the right answer.</summary>
internal delegate bool BodyCheck(ReadOnlySpan<byte> body);

/// <summary>What a load came to.</summary>
/// <param name="Answered">Right answers.</param>
/// <param name="Wrong">Other answers: another status, another body, a broken connection.</param>
/// <param name="Elapsed">From the first request to the last answer.</param>
/// <param name="Latency">In microseconds.</param>
internal sealed record LoadResult(long Answered, long Wrong, TimeSpan Elapsed, LongHistogram Latency)
{
    public double PerSecond => Answered / Elapsed.TotalSeconds;
}

/// <summary>
/// Closed load at the least cost: one thread, all connections in one poll, requests that were made before. Tasks, or a thread per connection, cost several times
/// as much processor, and it is the processor of what is measured.
/// </summary>
internal sealed class PollingLoad : IDisposable
{
    private const int PollMicroseconds = 100_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Uri _target;
    private readonly IReadOnlyList<byte[]> _requests;
    private readonly BodyCheck _isRight;
    private readonly Dictionary<Socket, Connection> _connections = [];
    private int _next;

    /// <param name="target">The server.</param>
    /// <param name="connections">How many requests are on their way at a time.</param>
    /// <param name="requests">Sent one after the other, over whatever connection is free, and then from the first again.</param>
    /// <param name="isRight">Whether a body of status 200 is the right answer.</param>
    public PollingLoad(Uri target, int connections, IReadOnlyList<byte[]> requests, BodyCheck isRight)
    {
        (_target, _requests, _isRight) = (target, requests, isRight);
        for (var i = 0; i < connections; i++)
            Open();
    }

    /// <summary>Sends for this long, then waits for what is on its way.</summary>
    /// <exception cref="TimeoutException">Answers did not come.</exception>
    public LoadResult Run(TimeSpan duration)
    {
        var latency = new LongHistogram(1, 60_000_000, 3);
        long answered = 0, wrong = 0;
        var started = Stopwatch.GetTimestamp();
        var end = started + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var last = end + (long)(Patience.TotalSeconds * Stopwatch.Frequency);
        var waiting = _connections.Count;
        var ready = new List<Socket>(waiting);
        foreach (var connection in _connections.Values)
            Send(connection);

        while (waiting > 0)
        {
            ready.Clear();
            foreach (var (socket, connection) in _connections)
            {
                if (connection.IsWaiting)
                    ready.Add(socket);
            }

            Socket.Select(ready, null, null, PollMicroseconds);
            var now = Stopwatch.GetTimestamp();
            if (now > last)
                throw new TimeoutException($"{waiting} answers did not come within {Patience.TotalSeconds:F0} s.");
            foreach (var socket in ready)
            {
                var connection = _connections[socket];
                switch (Receive(connection))
                {
                    case null:
                        continue;
                    case true:
                        answered++;
                        latency.RecordValue(Math.Max(1, (long)Stopwatch.GetElapsedTime(connection.SentAt, now).TotalMicroseconds));
                        break;
                    case false:
                        wrong++;
                        connection = Reopen(connection);
                        break;
                }

                if (now < end)
                {
                    Send(connection);
                    continue;
                }

                connection.IsWaiting = false;
                waiting--;
            }
        }

        return new LoadResult(answered, wrong, Stopwatch.GetElapsedTime(started), latency);
    }

    public void Dispose()
    {
        foreach (var socket in _connections.Keys)
            socket.Dispose();
    }

    private Connection Open()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(_target.Host, _target.Port);
        return _connections[socket] = new Connection(socket);
    }

    private Connection Reopen(Connection broken)
    {
        _connections.Remove(broken.Socket);
        broken.Socket.Dispose();
        return Open();
    }

    private void Send(Connection connection)
    {
        (connection.IsWaiting, connection.Filled, connection.SentAt) = (true, 0, Stopwatch.GetTimestamp());
        connection.Socket.Send(_requests[_next]);
        _next = (_next + 1) % _requests.Count;
    }

    /// <returns>Whether the answer was right; null when it is not whole yet.</returns>
    private bool? Receive(Connection connection)
    {
        try
        {
            var received = connection.Socket.Receive(connection.Buffer.AsSpan(connection.Filled));
            connection.Filled += received;
            if (ResponseParser.TryParse(connection.Buffer.AsSpan(0, connection.Filled), out var response))
                return response.Status == 200 && _isRight(response.Body);
            return received > 0 && connection.Filled < connection.Buffer.Length ? null : false;
        }
        catch (Exception e) when (e is SocketException or FormatException)
        {
            return false;
        }
    }

    private sealed class Connection(Socket socket)
    {
        public Socket Socket { get; } = socket;

        public byte[] Buffer { get; } = new byte[16 * 1024];

        public int Filled { get; set; }

        public long SentAt { get; set; }

        public bool IsWaiting { get; set; }
    }
}
