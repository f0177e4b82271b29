using RedisSessions.LoadTests.Http;
using RedisSessions.TestServers;

namespace RedisSessions.LoadTests.Servers;

/// <summary>Three instances of TargetApp over a Redis of our own, all of them processes that end with this one.</summary>
internal sealed class OwnServers : ITarget
{
    public const int Instances = 3;

    private readonly List<TargetAppProcess> _apps = [];
    private readonly List<AppProcess> _floors = [];
    private RedisProcess? _redis;
    private RedisSentinels? _sentinels;
    private Site? _site;

    private OwnServers()
    {
    }

    public Site Site => _site!;

    public RedisCounters? Redis { get; private set; }

    /// <summary>Starts one Redis without persistence and three instances.</summary>
    /// <exception cref="UsageException">There is no redis-server.</exception>
    public static Task<OwnServers> StartAsync(CancellationToken cancellationToken) => StartAsync(async servers =>
    {
        servers._redis = await StartRedisAsync(cancellationToken);
        servers.Redis = await RedisCounters.ConnectAsync(servers._redis.Configuration);
        return (servers._redis.Configuration, Array.Empty<string>());
    }, cancellationToken);

    /// <summary>Starts one Redis without persistence and three instances of the floor: the least that the same requests can cost, at the price of lost updates.</summary>
    /// <exception cref="UsageException">There is no redis-server.</exception>
    public static async Task<OwnServers> StartFloorAsync(CancellationToken cancellationToken)
    {
        var servers = new OwnServers();
        try
        {
            servers._redis = await StartRedisAsync(cancellationToken);
            servers.Redis = await RedisCounters.ConnectAsync(servers._redis.Configuration);
            for (var i = 0; i < Instances; i++)
                servers._floors.Add(await Peer.StartAsync("floor", servers._redis.Configuration, keys: "", cancellationToken));
            servers._site = new Site(servers._floors.Select(app => app.Address));
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Starts a primary, two replicas and three sentinels, and three instances whose commits count when one replica has them: what is acknowledged then outlives the primary.
    /// </summary>
    /// <exception cref="UsageException">There is no redis-server.</exception>
    public static Task<OwnServers> StartWithSentinelsAsync(CancellationToken cancellationToken) => StartAsync(async servers =>
    {
        var sentinels = await RedisSentinels.TryStartAsync([], cancellationToken) ?? throw new UsageException("redis-server and redis-cli are not on the PATH.");
        servers._sentinels = sentinels;
        return (sentinels.Configuration, ["--Sessions:Redis:MinReplicas=1"]);
    }, cancellationToken);

    public Task KillInstanceAsync() => _apps[0].KillAsync();

    public async Task KillPrimaryAsync()
    {
        if (_sentinels is null)
            throw new UsageException("There is no replica that could take over.");
        var port = await _sentinels.PrimaryPortAsync(CancellationToken.None);
        await _sentinels.Servers.Single(server => server.Port == port).KillAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _site?.Dispose();
        foreach (var app in _apps)
            await app.DisposeAsync();
        foreach (var floor in _floors)
            await floor.DisposeAsync();
        if (Redis is not null)
            await Redis.DisposeAsync();
        if (_redis is not null)
            await _redis.DisposeAsync();
        if (_sentinels is not null)
            await _sentinels.DisposeAsync();
    }

    private static async Task<RedisProcess> StartRedisAsync(CancellationToken cancellationToken) => await RedisProcess.TryStartAsync([], cancellationToken)
        ?? throw new UsageException("redis-server is not on the PATH: install it, or give servers that run already with --target.");

    private static async Task<OwnServers> StartAsync(Func<OwnServers, Task<(string Configuration, string[] Settings)>> startRedis, CancellationToken cancellationToken)
    {
        var servers = new OwnServers();
        try
        {
            var (configuration, settings) = await startRedis(servers);
            for (var i = 0; i < Instances; i++)
                servers._apps.Add(await TargetAppProcess.StartAsync(configuration, settings, cancellationToken));
            servers._site = new Site(servers._apps.Select(app => app.Address));
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }
}
