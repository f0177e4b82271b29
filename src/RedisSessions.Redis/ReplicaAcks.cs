using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// Waits until replicas have what was written before. WAIT holds up the whole connection, on which all sessions of this process come and go: so there is one at a time for
/// each server, and those who come meanwhile share the next.
/// </summary>
internal sealed class ReplicaAcks(RedisConnection connection, RedisHandlerOptions options)
{
    private readonly ConcurrentDictionary<EndPoint, Line> _lines = [];

    public bool Wanted => options.MinReplicas > 0;

    /// <summary>By which connection a commit goes. The answer of WAIT means something on that one only: on another it would count replicas that have nothing.</summary>
    public int Generation => connection.Generation;

    /// <exception cref="SessionStoreException">Too few replicas have it, or that cannot be known.</exception>
    public async Task WaitAsync(IDatabase database, RedisKey key, int generation)
    {
        var server = database.Multiplexer.GetServer(key, flags: CommandFlags.DemandMaster);
        var acknowledged = await _lines.GetOrAdd(server.EndPoint, static _ => new Line()).WaitAsync(server, options).ConfigureAwait(false);
        // Connections to other servers come and go, those of replicas that are started anew too.
        var isAnother = connection.HasChanged(server.EndPoint, generation);
        if (!isAnother && acknowledged >= options.MinReplicas)
            return;
        throw new SessionStoreException("redis", "commit", isAnother
            ? "it was stored, and then the connection was lost that could have told whether replicas have it. Whether it survives a failover is unknown."
            : string.Create(CultureInfo.InvariantCulture,
                $"it was stored, but {acknowledged} of {options.MinReplicas} replicas (Sessions:Redis:MinReplicas) had it within {options.ReplicaTimeout.TotalMilliseconds:F0} ms. ")
                + "Whether it survives a failover is unknown.");
    }

    private sealed class Line
    {
        private readonly Lock _lock = new();
        private Task<long> _running = Task.FromResult(0L);
        private Task<long>? _next;

        public Task<long> WaitAsync(IServer server, RedisHandlerOptions options)
        {
            lock (_lock)
                return _next ??= NextAsync(_running, server, options);
        }

        private async Task<long> NextAsync(Task<long> running, IServer server, RedisHandlerOptions options)
        {
            // What became of it is for those who waited for it. Never at once, though it may be over: this one must be known as the next before it is sent, else those who
            // come later would share an answer of before their commit.
            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.ForceYielding | ConfigureAwaitOptions.SuppressThrowing);
            lock (_lock)
                (_running, _next) = (_next!, null);
            return (long)await server.ExecuteAsync("WAIT", options.MinReplicas, (long)options.ReplicaTimeout.TotalMilliseconds).ConfigureAwait(false);
        }
    }
}
