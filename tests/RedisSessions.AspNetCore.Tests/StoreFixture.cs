using RedisSessions.AspNetCore.Tests;
using RedisSessions.TestServers;

[assembly: AssemblyFixture(typeof(StoreFixture))]
[assembly: AssemblyFixture(typeof(Secrets))]

namespace RedisSessions.AspNetCore.Tests;

/// <summary>The store behind all HTTP tests: Redis where there is one, else embedded Garnet. Tests share it and use ids of their own.</summary>
public sealed class StoreFixture : IAsyncLifetime
{
    private RedisServer? _redis;
    private EmbeddedGarnet? _garnet;

    /// <summary>What StackExchange.Redis needs to find it.</summary>
    public string Configuration => _redis?.Configuration ?? _garnet!.Configuration;

    /// <summary>Garnet has no INFO commandstats.</summary>
    public bool IsRedis => _redis is not null;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.TryStartAsync(TestContext.Current.CancellationToken);
        if (_redis is null)
            _garnet = EmbeddedGarnet.Start();
    }

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
            await _redis.DisposeAsync();
        if (_garnet is not null)
            await _garnet.DisposeAsync();
    }
}
