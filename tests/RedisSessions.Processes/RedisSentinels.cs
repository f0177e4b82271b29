using System.Globalization;

namespace RedisSessions.TestServers;

/// <summary>A primary, two replicas and three sentinels that agree on which is which: processes of our own on free loopback ports.</summary>
public sealed class RedisSentinels : IAsyncDisposable
{
    /// <summary>The name that the sentinels know the primary by.</summary>
    public const string Service = "sessions";

    private const int Sentinels = 3, Quorum = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private readonly List<RedisProcess> _servers = [];
    private readonly List<(ChildProcess Process, int Port)> _sentinels = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("sentinels-").FullName;

    private RedisSentinels()
    {
    }

    /// <summary>What StackExchange.Redis needs: the sentinels and the name of the service.</summary>
    public string Configuration => string.Join(',', _sentinels.Select(sentinel => $"127.0.0.1:{sentinel.Port}")) + ",serviceName=" + Service;

    /// <summary>The servers, the first primary first.</summary>
    public IReadOnlyList<RedisProcess> Servers => _servers;

    /// <summary>Starts them and waits until a failover could begin; null when there is no redis-server and redis-cli on the PATH.</summary>
    /// <param name="settings">Of the three servers, as on the command line.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<RedisSentinels?> TryStartAsync(string[] settings, CancellationToken cancellationToken)
    {
        // Without the delay, for which a primary waits for more replicas.
        settings = [.. settings, "--repl-diskless-sync-delay", "0"];
        if (RedisCli.Program is null || await RedisProcess.TryStartAsync(settings, cancellationToken) is not { } primary)
            return null;
        var all = new RedisSentinels();
        try
        {
            all._servers.Add(primary);
            string[] follow = ["--replicaof", "127.0.0.1", primary.Port.ToString(CultureInfo.InvariantCulture)];
            for (var i = 0; i < 2; i++)
                all._servers.Add((await RedisProcess.TryStartAsync([.. settings, .. follow], cancellationToken))!);
            for (var i = 0; i < Sentinels; i++)
                await all.AddSentinelAsync(cancellationToken);
            await Poll.UntilAsync(() => all.IsReadyAsync(cancellationToken), Patience, "the sentinels know the replicas and each other", cancellationToken);
            // A replica whose link is up may be told of the first writes a second later: a primary that has not yet noticed the end of the transfer waits for the next word from it.
            await primary.AskAsync(["SET", "probe", "1"], cancellationToken);
            await Poll.UntilAsync(() => all.HaveAsync("probe", cancellationToken), Patience, "the replicas hear of writes", cancellationToken);
            await primary.AskAsync(["DEL", "probe"], cancellationToken);
            return all;
        }
        catch
        {
            await all.DisposeAsync();
            throw;
        }
    }

    /// <summary>The port of the server that the sentinels call the primary.</summary>
    public async Task<int> PrimaryPortAsync(CancellationToken cancellationToken)
    {
        var answer = await AskAsync(0, "get-master-addr-by-name", cancellationToken);
        return int.Parse(answer[1], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var sentinel in _sentinels)
            await sentinel.Process.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task AddSentinelAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Next();
            var file = Path.Combine(_folder, $"sentinel-{port}.conf");
            await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $"""
                port {port}
                bind 127.0.0.1
                dir {_folder}
                sentinel monitor {Service} 127.0.0.1 {_servers[0].Port} {Quorum}
                sentinel down-after-milliseconds {Service} 1000
                sentinel failover-timeout {Service} 6000
                sentinel parallel-syncs {Service} 2

                """), cancellationToken);
            var process = await ChildProcess.StartAsync(RedisProcess.Program!, [file, "--sentinel"], cancellationToken);
            await Poll.UntilAsync(
                async () => process.HasExited || await RedisProcess.AnswersAsync(port, cancellationToken), Patience, "a sentinel answers", cancellationToken);
            if (!process.HasExited)
            {
                _sentinels.Add((process, port));
                return;
            }

            await process.DisposeAsync();
            if (attempt == FreePort.Tries)
                throw new InvalidOperationException($"redis-server --sentinel ended at once.\n{process.Output}");
        }
    }

    /// <summary>A failover before the sentinels have found the replicas and each other does not happen, and the test would wait for ever.</summary>
    private async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < Sentinels; i++)
        {
            var master = await AskAsync(i, "master", cancellationToken);
            if (Value(master, "num-slaves") != "2" || Value(master, "num-other-sentinels") != "2" || Value(master, "flags") != "master")
                return false;
            var replicas = await AskAsync(i, "replicas", cancellationToken);
            if (replicas.Zip(replicas.Skip(1)).Count(pair => pair is ("master-link-status", "ok")) != 2)
                return false;
        }

        return true;
    }

    private async Task<bool> HaveAsync(string key, CancellationToken cancellationToken)
    {
        foreach (var replica in _servers.Skip(1))
        {
            if ((await replica.AskAsync(["EXISTS", key], cancellationToken)).Trim() != "1")
                return false;
        }

        return true;
    }

    private static string? Value(string[] lines, string name) => Array.IndexOf(lines, name) is >= 0 and var at ? lines[at + 1] : null;

    private async Task<string[]> AskAsync(int sentinel, string question, CancellationToken cancellationToken) =>
        (await RedisCli.RunAsync(["-p", _sentinels[sentinel].Port.ToString(CultureInfo.InvariantCulture), "SENTINEL", question, Service], cancellationToken)).Split('\n');
}
