using RedisSessions.Conformance;

namespace RedisSessions.Redis.Tests.Conformance;

/// <summary>The whole contract, on Redis.</summary>
public sealed class RedisHandlerTests(RedisFixture fixture) : SessionHandlerTests(fixture), IClassFixture<RedisFixture>;

/// <summary>The whole contract, on Garnet.</summary>
public sealed class GarnetHandlerTests(EmbeddedGarnetFixture fixture) : SessionHandlerTests(fixture), IClassFixture<EmbeddedGarnetFixture>;
