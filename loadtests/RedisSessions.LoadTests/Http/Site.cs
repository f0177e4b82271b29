using System.Collections.Concurrent;
using System.Net.Sockets;

namespace RedisSessions.LoadTests.Http;

/// <summary>
/// A site of one or more instances, as visitors reach it through a balancer: each request goes to the next instance, and to another one when it cannot be
/// connected to. A request that went out is never sent twice.
/// </summary>
internal sealed class Site : IDisposable
{
    private const long RestMilliseconds = 1_000;
    private readonly Dialect _dialect;
    private readonly Instance[] _instances;
    private uint _next;

    public Site(IEnumerable<Uri> instances, Dialect dialect = Dialect.TargetApp)
    {
        _dialect = dialect;
        _instances = [.. instances.Select(address => new Instance(address, dialect))];
    }

    public int Instances => _instances.Length;

    /// <summary>Connections of its own for so many requests at once.</summary>
    public Burst OpenBurst(int size) => new([.. _instances.Select(static instance => instance.Address)], _dialect, size);

    /// <summary>Sends a request and waits for its answer; connections are kept and used again.</summary>
    /// <param name="path">Path and query, escaped.</param>
    /// <param name="cookie">The session cookie, or null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<HttpAnswer> SendAsync(string path, string? cookie, CancellationToken cancellationToken)
    {
        for (var tries = 0; tries < _instances.Length; tries++)
        {
            if (await Next().TrySendAsync(path, cookie, cancellationToken) is { } answer)
                return answer;
        }

        return HttpAnswer.Unsent;
    }

    /// <summary>Makes sessions with <c>/seed</c>, and gives their cookies.</summary>
    /// <exception cref="InvalidOperationException">The site made none.</exception>
    public async Task<string[]> SeedAsync(int sessions, CancellationToken cancellationToken)
    {
        var cookies = new string[sessions];
        await EachAsync(sessions, async i =>
        {
            var answer = await SendAsync("/seed", cookie: null, cancellationToken);
            cookies[i] = answer is { IsOk: true, Cookie.Length: > 0 } ? answer.Cookie : throw new InvalidOperationException($"The site made no session: {answer.Failure}.");
        });
        return cookies;
    }

    /// <summary>Does something for each of many, a few at a time.</summary>
    public static async Task EachAsync(int count, Func<int, Task> work)
    {
        const int AtATime = 32;
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(AtATime, count)).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var i && i < count)
                await work(i);
        }));
    }

    public void Dispose()
    {
        foreach (var instance in _instances)
            instance.DropConnections();
    }

    private Instance Next()
    {
        // One that has refused rests for a second, unless all do.
        for (var i = 0; i < _instances.Length; i++)
        {
            var instance = _instances[Interlocked.Increment(ref _next) % (uint)_instances.Length];
            if (!instance.IsResting)
                return instance;
        }

        return _instances[Interlocked.Increment(ref _next) % (uint)_instances.Length];
    }

    private sealed class Instance(Uri address, Dialect dialect)
    {
        private readonly ConcurrentBag<HttpConnection> _idle = [];
        private long _restsUntil;

        public Uri Address => address;

        public bool IsResting => Environment.TickCount64 < Volatile.Read(ref _restsUntil);

        /// <returns>Null when it cannot be connected to.</returns>
        public async ValueTask<HttpAnswer?> TrySendAsync(string path, string? cookie, CancellationToken cancellationToken)
        {
            var request = dialect.Request(address, path, cookie);
            HttpConnection? connection;
            try
            {
                if (!_idle.TryTake(out connection))
                    connection = await HttpConnection.OpenAsync(address, cancellationToken);
            }
            catch (SocketException)
            {
                Volatile.Write(ref _restsUntil, Environment.TickCount64 + RestMilliseconds);
                return null;
            }

            try
            {
                var answer = await connection.SendAsync(request, cancellationToken);
                _idle.Add(connection);
                return answer;
            }
            catch (Exception e)
            {
                connection.Dispose();
                if (e is not (SocketException or IOException or FormatException))
                    throw;
                // What broke one has probably broken the idle ones too; they would each cost a request.
                DropConnections();
                return HttpAnswer.Lost;
            }
        }

        public void DropConnections()
        {
            while (_idle.TryTake(out var connection))
                connection.Dispose();
        }
    }
}
