using System.Globalization;
using StackExchange.Redis;

namespace RedisSessions.LoadTests.Servers;

/// <summary>What a Redis of our own was asked to do, from <c>INFO commandstats</c>.</summary>
internal sealed class RedisCounters : IAsyncDisposable
{
    // What clients send of themselves, whether there are requests or not.
    private static readonly HashSet<string> Housekeeping = ["auth", "client", "cluster", "command", "config", "echo", "hello", "info", "ping", "role", "select", "sentinel", "subscribe"];

    // What our scripts call. No client of ours sends these.
    private static readonly HashSet<string> InScripts = ["get", "getrange", "set"];

    private readonly ConnectionMultiplexer _connection;
    private readonly IServer _server;

    private RedisCounters(ConnectionMultiplexer connection)
    {
        _connection = connection;
        _server = connection.GetServers().Single();
    }

    public static async Task<RedisCounters> ConnectAsync(string configuration) =>
        new(await ConnectionMultiplexer.ConnectAsync(configuration + ",allowAdmin=true"));

    /// <summary>Its database, for what a scenario wants to know or to plant.</summary>
    public IDatabase Database => _connection.GetDatabase();

    public Task ResetAsync() => _server.ConfigResetStatisticsAsync();

    /// <summary>Calls by command since the reset, those of scripts included; not what clients send of themselves.</summary>
    public async Task<IReadOnlyDictionary<string, long>> CallsAsync()
    {
        var calls = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (key, value) in (await _server.InfoAsync("commandstats")).SelectMany(section => section))
        {
            var name = key["cmdstat_".Length..];
            if (!Housekeeping.Contains(name.Split('|')[0]))
                calls[name] = long.Parse(value.Split(',')[0]["calls=".Length..], CultureInfo.InvariantCulture);
        }

        return calls;
    }

    /// <summary>How many of these the clients sent: what scripts call is not sent.</summary>
    public static long Sent(IReadOnlyDictionary<string, long> calls)
    {
        var scripts = calls.Any(call => call is { Key: "eval" or "evalsha", Value: > 0 });
        return calls.Where(call => !scripts || !InScripts.Contains(call.Key)).Sum(call => call.Value);
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
