using Microsoft.Extensions.DependencyInjection;
using RedisSessions.Conformance;
using RedisSessions.Redis.Tests.Servers;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Conformance;

/// <summary>The Redis handler over a server: each handler with a connection of its own, all under one key prefix of this fixture.</summary>
public abstract class RespFixture : HandlerFixture
{
    private readonly List<ServiceProvider> _instances = [];
    private ConnectionMultiplexer? _direct;

    public override string HandlerName => "redis";

    /// <summary>Where the server is; skips the test when there is none.</summary>
    protected abstract string Configuration { get; }

    private string Prefix { get; } = $"conformance:{Guid.NewGuid():N}:";

    public override ValueTask<ISessionHandler> CreateHandlerAsync()
    {
        // Patient: the suite asks who wins when nothing is lost, and on a busy machine a thousand commits at once take their time.
        var instance = Instance.Create(
            $"{Configuration},connectTimeout=20000",
            options => (options.KeyPrefix, options.Timeout, options.TryTimeout) = (Prefix, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(20)));
        lock (_instances)
            _instances.Add(instance);
        return new(instance.GetRequiredService<ISessionHandler>());
    }

    // Not by the client's own method, which is SETEX: the user of the farm may not do that.
    public override async ValueTask PlantAsync(SessionKey key, byte[] bytes) =>
        await (await DirectAsync()).ExecuteAsync("SET", (RedisKey)(Prefix + key.Value), bytes, "PX", 300_000);

    public override async ValueTask<byte[]?> BytesAsync(SessionKey key) => await (await DirectAsync()).StringGetAsync(Prefix + key.Value);

    public override async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        if (_direct is not null)
            await _direct.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private async ValueTask<IDatabase> DirectAsync() => (_direct ??= await ConnectionMultiplexer.ConnectAsync(Configuration)).GetDatabase();
}

/// <summary>Over a real Redis; its tests are skipped, by name, where there is none.</summary>
public sealed class RedisFixture(RedisServerFixture redis) : RespFixture
{
    protected override string Configuration => redis.Server.Configuration;
}

/// <summary>Over Garnet inside this process, which is always there.</summary>
public sealed class EmbeddedGarnetFixture(GarnetFixture garnet) : RespFixture
{
    protected override string Configuration => garnet.Server.Configuration;
}

/// <summary>Over a Redis as the farm starts it, signed in as the user that may do what sessions need and nothing else.</summary>
public sealed class FarmUserFixture : RespFixture
{
    private FarmRedis? _redis;

    protected override string Configuration
    {
        get
        {
            if (_redis is null)
                Assert.Skip(FarmRedis.None);
            return _redis.Configuration;
        }
    }

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _redis = await FarmRedis.TryStartAsync("conformance:", TestContext.Current.CancellationToken);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_redis is not null)
            await _redis.DisposeAsync();
    }
}
