using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RedisSessions.TestServers;

/// <summary>
/// Stands between a client and a server and breaks what it is told to. For Redis it understands just enough RESP to know which answer belongs to which command;
/// in plain mode it understands nothing, and takes what comes next from the server for the answer. Everything it holds ends when it is disposed.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<ProxiedConnection, Task> _connections = [];
    private readonly ConcurrentDictionary<string, int> _counts = [];
    private readonly string _host;
    private readonly int _port;
    private readonly bool _plain;
    private Task _accepting = Task.CompletedTask;
    private TaskCompletionSource? _silence;
    private int _faults;
    private int _lateAnswers;
    private int _lostAnswers;

    private FaultProxy(string server, bool plain)
    {
        _plain = plain;
        // Only the first endpoint of the configuration, without its settings: the client brings those.
        var endpoint = server.Split(',')[0];
        var colon = endpoint.LastIndexOf(':');
        _host = endpoint[..colon];
        _port = int.Parse(endpoint[(colon + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Where it listens: <c>127.0.0.1:port</c>.</summary>
    public string Configuration => $"127.0.0.1:{Port}";

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Decides the fate of each command; may be changed at any time. Called on the connection's own thread.</summary>
    public Func<ProxiedCommand, Fault> Policy { get; set; } = static _ => Fault.None;

    /// <summary>How many faults were really made.</summary>
    public int Faults => _faults;

    /// <summary>How many commands that were to arrive late the server has answered: they have arrived, and run.</summary>
    public int LateAnswers => _lateAnswers;

    /// <summary>How many answers of commands that the server has run never reached the client whole.</summary>
    public int LostAnswers => _lostAnswers;

    /// <summary>The connections that are open.</summary>
    public int Connections => _connections.Count;

    /// <summary>While true, new connections are closed as soon as they are made.</summary>
    public bool RefuseConnections { get; set; }

    /// <summary>How long bytes travel, in each direction. Default: no time.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>How much longer than <see cref="Latency"/> they travel at most, at random.</summary>
    public TimeSpan Jitter { get; set; }

    /// <summary>How fast each direction of each connection is; null: as fast as it can be.</summary>
    public int? BytesPerSecond { get; set; }

    /// <summary>
    /// While true nothing passes, on no connection and in no direction, and nobody is told: a cable that was pulled. What was sent meanwhile arrives when it is back,
    /// as the kernel would send it again.
    /// </summary>
    public bool IsSilent
    {
        get => _silence is not null;
        set
        {
            var before = Interlocked.Exchange(ref _silence, value ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : null);
            before?.TrySetResult();
        }
    }

    /// <summary>Ends with the silence.</summary>
    internal Task Silence => Volatile.Read(ref _silence)?.Task ?? Task.CompletedTask;

    /// <summary>In front of a Redis.</summary>
    /// <param name="server">As StackExchange.Redis writes it: <c>host:port</c>, settings after commas.</param>
    public static FaultProxy Start(string server) => Start(server, plain: false);

    /// <summary>In front of anything that speaks in turns: client, server, client.</summary>
    /// <param name="server"><c>host:port</c></param>
    public static FaultProxy StartPlain(string server) => Start(server, plain: true);

    private static FaultProxy Start(string server, bool plain)
    {
        var proxy = new FaultProxy(server, plain);
        proxy._listener.Start();
        proxy._accepting = proxy.AcceptAsync();
        return proxy;
    }

    /// <summary>How many commands of a kind have come by; "EVAL" counts EVALSHA too.</summary>
    public int Count(string command) => _counts.GetValueOrDefault(command);

    /// <summary>Ends every open connection, both sides.</summary>
    public void DropConnections()
    {
        foreach (var connection in _connections.Keys)
            connection.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Stop();
        DropConnections();
        await _accepting;
        await Task.WhenAll(_connections.Values);
        _ending.Dispose();
    }

    internal bool IsPlain => _plain;

    internal IFrames NewFrames() => _plain ? new PlainFrames() : new RespFrames();

    /// <summary>What is to become of what a client has sent, and whether the server owes an answer to it.</summary>
    internal (Fault Fault, bool IsAnswered) Decide(byte[] frame)
    {
        var name = _plain ? "" : RespFrames.CommandName(frame);
        var kind = name == "EVALSHA" ? "EVAL" : name;
        var number = _counts.AddOrUpdate(kind, 1, static (_, count) => count + 1);
        var fault = Policy(new ProxiedCommand(name, number, new Lazy<string>(() => Encoding.Latin1.GetString(frame))));
        if (fault is not Fault.Nothing)
            Interlocked.Increment(ref _faults);
        // In RESP3 subscriptions are answered by pushes, which nobody is owed. Of bytes nobody knows.
        return (fault, !_plain && !name.EndsWith("SUBSCRIBE", StringComparison.Ordinal));
    }

    internal void CountLostAnswer() => Interlocked.Increment(ref _lostAnswers);

    internal void CountLateAnswer() => Interlocked.Increment(ref _lateAnswers);

    private async Task AcceptAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync(_ending.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            if (RefuseConnections)
            {
                client.Dispose();
                continue;
            }

            var connection = new ProxiedConnection(this, client);
            _connections[connection] = Task.CompletedTask;
            _connections[connection] = RunAsync(connection);
        }
    }

    private async Task RunAsync(ProxiedConnection connection)
    {
        await Task.Yield();
        try
        {
            await connection.RunAsync(_host, _port, _ending.Token);
        }
        finally
        {
            connection.Dispose();
            _connections.TryRemove(connection, out _);
        }
    }
}
