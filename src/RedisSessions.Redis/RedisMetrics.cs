using System.Diagnostics.Metrics;
using Polly.CircuitBreaker;

namespace RedisSessions.Redis;

/// <summary>What can be counted of the Redis handler, in the meter <c>RedisSessions</c>. Few series, and never a host, a key or an id.</summary>
internal sealed class RedisMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _circuit;
    private readonly Counter<long> _scriptMisses;
    private readonly RedisConnection _connection;

    public RedisMetrics(IMeterFactory meters, RedisConnection connection)
    {
        _connection = connection;
        _meter = meters.Create("RedisSessions");
        _retries = _meter.CreateCounter<long>("redissessions.redis.retries", "{retry}", "Commands that were tried again, by the reason.");
        _circuit = _meter.CreateCounter<long>("redissessions.redis.circuit", "{change}", "Changes of the circuit, by the state that it went to.");
        _scriptMisses = _meter.CreateCounter<long>(
            "redissessions.redis.script.misses", "{script}", "Scripts that the server did not have in its cache, so that their text was sent.");
        _meter.CreateObservableGauge("redissessions.redis.circuit.state", State, "{state}", "0: calls go through. 1: one call tries whether Redis is back. 2: calls fail at once.");
        _meter.CreateObservableGauge("redissessions.redis.connected", () => connection.IsConnected ? 1 : 0, "{connection}", "1 while there is a connection to Redis.");
    }

    /// <summary>The circuit tells its state here.</summary>
    public CircuitBreakerStateProvider Circuit { get; } = new();

    public void Retrying(RedisFailure failure) => _retries.Add(1, new KeyValuePair<string, object?>("reason", failure.Reason));

    public void Changed(CircuitState state) => _circuit.Add(1, new KeyValuePair<string, object?>("state", Name(state)));

    public void ScriptMissed() => _scriptMisses.Add(1);

    public void Dispose() => _meter.Dispose();

    private static string Name(CircuitState state) => state switch
    {
        CircuitState.Closed => "closed",
        CircuitState.HalfOpen => "half_open",
        _ => "open",
    };

    private int State() => Circuit.CircuitState switch
    {
        // It may have opened before the server said that it is a cluster, and nothing goes through it any more.
        _ when _connection.IsCluster => 0,
        CircuitState.Closed => 0,
        CircuitState.HalfOpen => 1,
        _ => 2,
    };
}
