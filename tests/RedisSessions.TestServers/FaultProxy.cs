using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace RedisSessions.TestServers;

/// <summary>
/// Stands between a client and a Redis and breaks what it is told to: it understands just enough RESP to know which answer belongs to
/// which command. Everything it holds ends when it is disposed.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<ProxiedConnection, Task> _connections = [];
    private readonly ConcurrentDictionary<string, int> _counts = [];
    private readonly string _host;
    private readonly int _port;
    private Task _accepting = Task.CompletedTask;
    private int _faults;
    private int _lateAnswers;

    private FaultProxy(string server)
    {
        // Only the first endpoint of the configuration, without its settings: the client brings those.
        var endpoint = server.Split(',')[0];
        var colon = endpoint.LastIndexOf(':');
        _host = endpoint[..colon];
        _port = int.Parse(endpoint[(colon + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Where it listens: <c>127.0.0.1:port</c>.</summary>
    public string Configuration => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Decides the fate of each command; may be changed at any time. Called on the connection's own thread.</summary>
    public Func<ProxiedCommand, Fault> Policy { get; set; } = static _ => Fault.None;

    /// <summary>How many faults were really made.</summary>
    public int Faults => _faults;

    /// <summary>How many commands that were to arrive late the server has answered: they have arrived, and run.</summary>
    public int LateAnswers => _lateAnswers;

    /// <summary>The connections that are open.</summary>
    public int Connections => _connections.Count;

    /// <summary>While true, new connections are closed as soon as they are made.</summary>
    public bool RefuseConnections { get; set; }

    public static FaultProxy Start(string server)
    {
        var proxy = new FaultProxy(server);
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

    internal Fault Decide(string name)
    {
        var kind = name == "EVALSHA" ? "EVAL" : name;
        var fault = Policy(new ProxiedCommand(name, _counts.AddOrUpdate(kind, 1, static (_, count) => count + 1)));
        if (fault is not Fault.Nothing)
            Interlocked.Increment(ref _faults);
        return fault;
    }

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
