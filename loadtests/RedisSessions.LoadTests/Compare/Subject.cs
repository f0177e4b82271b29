using RedisSessions.LoadTests.Http;
using RedisSessions.LoadTests.Servers;
using RedisSessions.TestServers;

namespace RedisSessions.LoadTests.Compare;

/// <summary>What is compared: an application process, with sessions that were made beforehand.</summary>
internal sealed class Subject : IAsyncDisposable
{
    private readonly IAsyncDisposable _process;

    private Subject(string name, Uri address, int processId, IAsyncDisposable process)
    {
        (Name, Address, ProcessId, _process) = (name, address, processId, process);
    }

    public string Name { get; }

    public Uri Address { get; }

    public int ProcessId { get; }

    /// <summary>The cookies of its sessions.</summary>
    public IReadOnlyList<string> Cookies { get; private set; } = [];

    /// <summary>TargetApp: RedisSessions.</summary>
    public static async Task<Subject> OursAsync(string name, string redis, string[] settings, CancellationToken cancellationToken)
    {
        var app = await TargetAppProcess.StartAsync(redis, settings, cancellationToken);
        return new Subject(name, app.Address, app.ProcessId, app);
    }

    /// <summary>A peer of loadtests/Peers.</summary>
    public static async Task<Subject> PeerAsync(string name, string peer, string redis, string keys, CancellationToken cancellationToken)
    {
        var app = await Peer.StartAsync(peer, redis, keys, cancellationToken);
        return new Subject(name, app.Address, app.ProcessId, app);
    }

    /// <summary>Makes its sessions.</summary>
    public async Task SeedAsync(int sessions, CancellationToken cancellationToken)
    {
        var cookies = new string[sessions];
        for (var i = 0; i < sessions; i++)
            cookies[i] = await NewSessionAsync(cancellationToken);
        Cookies = cookies;
    }

    /// <summary>Asks a hundred times at once to count in a new session, and counts what is missing.</summary>
    /// <returns>How many of the updates that were acknowledged are lost, and how many were acknowledged.</returns>
    public async Task<(long Lost, long Acknowledged)> RaceAsync(int requests, CancellationToken cancellationToken)
    {
        var increment = RequestBytes.Get(Address, "/incr", await NewSessionAsync(cancellationToken));
        var connections = await Task.WhenAll(Enumerable.Range(0, requests).Select(_ => HttpConnection.OpenAsync(Address, cancellationToken).AsTask()));
        try
        {
            var answers = await Task.WhenAll(connections.Select(connection => connection.SendAsync(increment, cancellationToken).AsTask()));
            var acknowledged = answers.LongCount(answer => answer.Status == 200);
            // The framework stores a session after its response has gone out: what is on its way then is no loss.
            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
            var last = await connections[0].SendAsync(increment, cancellationToken);
            return (acknowledged - (long.Parse(last.Body, System.Globalization.CultureInfo.InvariantCulture) - 1), acknowledged);
        }
        finally
        {
            foreach (var connection in connections)
                connection.Dispose();
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task<string> NewSessionAsync(CancellationToken cancellationToken)
    {
        using var connection = await HttpConnection.OpenAsync(Address, cancellationToken);
        var answer = await connection.SendAsync(RequestBytes.Get(Address, "/seed", cookie: null), cancellationToken);
        return answer is { Status: 200, Cookie: { } cookie } ? cookie : throw new InvalidOperationException($"{Name} made no session: status {answer.Status}.");
    }
}
