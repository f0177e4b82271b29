using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// What is done once before the first session: connect, load the scripts, and warn of settings of the server that lose sessions. Nothing here keeps the application from
/// starting; what may not be asked is said to be unknown.
/// </summary>
internal sealed class RedisStartChecks(RedisConnection connection, IOptions<RedisHandlerOptions> options, TimeProvider time, ILogger<RedisSessionHandler> logger)
{
    private static readonly Version Oldest = new(6, 2);

    public async Task RunAsync()
    {
        using var patience = new CancellationTokenSource(options.Value.Timeout, time);
        try
        {
            var database = await connection.DatabaseAsync(patience.Token).ConfigureAwait(false);
            // Each primary of a cluster is asked. Replicas take over their settings, or somebody has made them different on purpose.
            foreach (var server in database.Multiplexer.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
            {
                await LoadAsync(server).WaitAsync(patience.Token).ConfigureAwait(false);
                await CheckAsync(server).WaitAsync(patience.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever it is: sessions may work all the same, and will say so themselves if they do not.
            Log.NotChecked(logger, "a server", "everything");
        }
    }

    private static async Task LoadAsync(IServer server)
    {
        foreach (var script in RedisScripts.All)
        {
            try
            {
                await server.ScriptLoadAsync(script.Text).ConfigureAwait(false);
            }
            catch (Exception e) when (e is RedisServerException or RedisCommandException)
            {
                // Then the first command that needs it loads it, or says what is wrong.
                return;
            }
        }
    }

    private async Task CheckAsync(IServer server)
    {
        var name = Name(server);
        if (server.Version < Oldest)
            Log.TooOld(logger, name, server.Version.ToString());
        var info = await InfoAsync(server).ConfigureAwait(false);
        List<string> unknown = [];

        if ((info.GetValueOrDefault("maxmemory_policy") ?? await SettingAsync(server, "maxmemory-policy").ConfigureAwait(false)) is not { Length: > 0 } policy)
            unknown.Add("whether it evicts keys");
        else if (policy != "noeviction")
            Log.Evicts(logger, name, policy, policy.StartsWith("volatile-", StringComparison.Ordinal) ? "sessions, and all else that has an end," : "any key, sessions too,");
        if (info.TryGetValue("evicted_keys", out var count) && long.TryParse(count, CultureInfo.InvariantCulture, out var evicted) && evicted > 0)
            Log.HasEvicted(logger, name, evicted);

        if (!info.TryGetValue("aof_enabled", out var aof))
            unknown.Add("whether it saves to disk");
        else if (aof == "0")
        {
            // An empty list of save points is the other half; without the right to ask for it nothing can be said.
            var save = await SettingAsync(server, "save").ConfigureAwait(false);
            if (save is null)
                unknown.Add("whether it saves to disk");
            else if (save.Length == 0)
                Log.NotPersistent(logger, name);
        }

        if (unknown.Count > 0)
            Log.NotChecked(logger, name, string.Join(" and ", unknown));
    }

    private static async Task<Dictionary<string, string>> InfoAsync(IServer server)
    {
        try
        {
            // Not the client's own method: that one wants a connection for administrators.
            var text = (await server.ExecuteAsync("INFO").ConfigureAwait(false)).ToString();
            Dictionary<string, string> info = new(StringComparer.Ordinal);
            foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                if (line.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
                    info[line[..colon]] = line[(colon + 1)..];
            }

            return info;
        }
        catch (Exception e) when (e is RedisServerException or RedisCommandException)
        {
            return [];
        }
    }

    private static async Task<string?> SettingAsync(IServer server, string setting)
    {
        try
        {
            var answer = await server.ExecuteAsync("CONFIG", "GET", setting).ConfigureAwait(false);
            return answer.Length == 2 ? answer[1].ToString() : null;
        }
        catch (Exception e) when (e is RedisServerException or RedisCommandException)
        {
            return null;
        }
    }

    private static string Name(IServer server) => server.EndPoint.ToString()!.Replace("Unspecified/", "", StringComparison.Ordinal);
}
