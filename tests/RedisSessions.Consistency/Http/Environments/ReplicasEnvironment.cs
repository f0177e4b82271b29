using System.Globalization;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>
/// A primary and two replicas that an operator fails over by hand. Clients know all three, and find out by themselves which is the primary.
/// </summary>
internal sealed class ReplicasEnvironment : HttpEnvironment
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly RedisProcess[] _servers;
    private readonly Failover _rollBack;

    private ReplicasEnvironment(RedisProcess[] servers)
    {
        _servers = servers;
        _rollBack = new Failover(servers, PromoteAsync, rollsBack: true);
    }

    public override IReadOnlyList<HttpFault> Faults => [_rollBack];

    /// <summary>A failover that loses nothing that a replica has.</summary>
    public HttpFault Failover() => new Failover(_servers, PromoteAsync, rollsBack: false);

    /// <summary>Starts the servers; null when there is no redis-server.</summary>
    public static async Task<HttpEnvironment?> TryStartAsync(EnvironmentPlan plan, CancellationToken cancellationToken)
    {
        if (RedisCli.Program is null
            || await RedisProcess.TryStartAsync(["--repl-diskless-sync-delay", "0"], cancellationToken) is not { } primary)
            return null;
        string[] follow = ["--replicaof", "127.0.0.1", Port(primary)];
        var first = await RedisProcess.TryStartAsync(follow, cancellationToken);
        var second = await RedisProcess.TryStartAsync(follow, cancellationToken);
        var environment = new ReplicasEnvironment([primary, first!, second!]) { Name = plan.Name, Rules = plan.Rules, Extra = plan.Extra };
        await Poll.UntilAsync(
            async () => (await primary.AskAsync(["WAIT", "2", "100"], cancellationToken)).Trim() == "2",
            Patience, "the replicas follow", cancellationToken);
        return environment;
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    protected override IReadOnlyList<string> StoreSettings(int process) =>
        RedisEnvironment.ForRedis(string.Join(',', _servers.Select(server => server.Configuration)));

    private async Task PromoteAsync()
    {
        await _servers[1].AskAsync(["REPLICAOF", "NO", "ONE"], CancellationToken.None);
        await _servers[2].AskAsync(["REPLICAOF", "127.0.0.1", Port(_servers[1])], CancellationToken.None);
    }

    private static string Port(RedisProcess server) => server.Port.ToString(CultureInfo.InvariantCulture);
}
