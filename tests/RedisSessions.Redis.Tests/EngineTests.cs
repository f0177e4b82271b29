using RedisSessions.TestServers;

namespace RedisSessions.Redis.Tests;

/// <summary>Tests that run once on Redis and once on Garnet: a class of each derives from the tests and says which.</summary>
public abstract class EngineTests
{
    private readonly string? _configuration;

    /// <param name="redis">On Redis: skipped, by name, where there is none.</param>
    protected EngineTests(RedisServerFixture redis) => _configuration = redis.ServerOrNull?.Configuration;

    /// <param name="garnet">On embedded Garnet.</param>
    protected EngineTests(GarnetFixture garnet) => _configuration = garnet.Server.Configuration;

    protected static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    /// <summary>Longer than anything takes that does not fail.</summary>
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The server; skips the test when there is none.</summary>
    protected string Configuration
    {
        get
        {
            if (_configuration is null)
                Assert.Skip(RedisServer.None);
            return _configuration;
        }
    }

    /// <summary>The key prefix of this one test.</summary>
    protected string Prefix { get; } = $"test:{Guid.NewGuid():N}:";
}
