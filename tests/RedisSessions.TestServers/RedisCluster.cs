using System.Globalization;

namespace RedisSessions.TestServers;

/// <summary>A Redis Cluster of three primaries and three replicas: processes of our own on free loopback ports.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private const int Primaries = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly List<RedisProcess> _nodes = [];

    private RedisCluster()
    {
    }

    public string Configuration => string.Join(',', _nodes.Select(node => node.Configuration));

    public IReadOnlyList<RedisProcess> Nodes => _nodes;

    /// <summary>Starts it and waits until every slot is served and replicated; null when there is no redis-server and redis-cli on the PATH.</summary>
    /// <param name="settings">Of each node, as on the command line.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<RedisCluster?> TryStartAsync(string[] settings, CancellationToken cancellationToken)
    {
        if (RedisCli.Program is null)
            return null;
        var cluster = new RedisCluster();
        try
        {
            for (var i = 0; i < Primaries * 2; i++)
            {
                string[] own =
                [
                    "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", FreePort.Next().ToString(CultureInfo.InvariantCulture),
                    // Who has lost a slot range is to keep the others: by default the whole cluster stops.
                    "--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0",
                ];
                cluster._nodes.Add((await RedisProcess.TryStartAsync([.. own, .. settings], cancellationToken))!);
            }

            await RedisCli.RunAsync(["--cluster", "create", .. cluster._nodes.Select(node => node.Configuration), "--cluster-replicas", "1", "--cluster-yes"], cancellationToken);
            await Poll.UntilAsync(
                async () =>
                {
                    foreach (var node in cluster._nodes)
                    {
                        var lines = await NodesAsync(node, cancellationToken);
                        if (lines.Count(line => line.IsPrimary && line.Slots > 0) != Primaries || lines.Count(line => line.IsReplica) != Primaries)
                            return false;
                        if (!(await node.AskAsync(["INFO", "replication"], cancellationToken)).Contains(
                                lines.Single(line => line.IsMyself).IsReplica ? "master_link_status:up" : "connected_slaves:1", StringComparison.Ordinal))
                        {
                            return false;
                        }
                    }

                    return true;
                },
                Patience, "every slot of the cluster is served and replicated", cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The nodes as one of them sees them.</summary>
    public static async Task<IReadOnlyList<ClusterLine>> NodesAsync(RedisProcess node, CancellationToken cancellationToken) =>
        (await node.AskAsync(["CLUSTER", "NODES"], cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ClusterLine.Parse).ToList();

    /// <summary>The primaries that serve slots, as one of the nodes that run sees them.</summary>
    public static async Task<IReadOnlyList<ClusterLine>> PrimariesAsync(RedisProcess asked, CancellationToken cancellationToken) =>
        [.. (await NodesAsync(asked, cancellationToken)).Where(line => line is { IsPrimary: true, IsFailed: false, Slots: > 0 })];

    /// <summary>Moves slots and all their keys from one primary to another while they are in use.</summary>
    public async Task MoveAsync(ClusterLine from, ClusterLine to, int slots, CancellationToken cancellationToken)
    {
        // News of the move before may still be on its way, and redis-cli begins nothing then.
        await Poll.UntilAsync(
            async () =>
            {
                var views = new HashSet<string>(StringComparer.Ordinal);
                foreach (var node in _nodes)
                    views.Add(string.Join(';', (await NodesAsync(node, cancellationToken)).OrderBy(line => line.Id, StringComparer.Ordinal).Select(line => $"{line.Id} {string.Join(',', line.Ranges)}")));
                return views.Count == 1;
            },
            Patience, "the nodes of the cluster agree", cancellationToken);
        await RedisCli.RunAsync(
            [
                "--cluster", "reshard", $"127.0.0.1:{to.Port}", "--cluster-from", from.Id, "--cluster-to", to.Id,
                "--cluster-slots", slots.ToString(CultureInfo.InvariantCulture), "--cluster-yes",
            ], cancellationToken);
    }

    public RedisProcess this[ClusterLine line] => _nodes.Single(node => node.Port == line.Port);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
    }
}

/// <summary>One line of CLUSTER NODES.</summary>
/// <param name="Id">The node's own name.</param>
/// <param name="Port">Where it listens, on 127.0.0.1.</param>
/// <param name="Flags">master, slave, myself, fail, …</param>
/// <param name="Ranges">The slots it serves, both ends included.</param>
public sealed record ClusterLine(string Id, int Port, string Flags, IReadOnlyList<(int From, int To)> Ranges)
{
    public bool IsPrimary => Flags.Contains("master", StringComparison.Ordinal);

    public bool IsReplica => Flags.Contains("slave", StringComparison.Ordinal);

    public bool IsMyself => Flags.Contains("myself", StringComparison.Ordinal);

    public bool IsFailed => Flags.Contains("fail", StringComparison.Ordinal);

    public int Slots => Ranges.Sum(range => range.To - range.From + 1);

    public bool Serves(int slot) => Ranges.Any(range => range.From <= slot && slot <= range.To);

    public static ClusterLine Parse(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var address = words[1].Split('@')[0];
        return new ClusterLine(
            words[0], int.Parse(address[(address.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture), words[2],
            [.. words.Skip(8).Where(word => !word.StartsWith('[')).Select(word => word.Split('-')).Select(ends =>
                (int.Parse(ends[0], CultureInfo.InvariantCulture), int.Parse(ends[^1], CultureInfo.InvariantCulture)))]);
    }
}
