using RedisSessions.Conformance;

namespace RedisSessions.Redis.Tests.Conformance;

/// <summary>The whole contract, on Redis.</summary>
public sealed class RedisHandlerTests(RedisFixture fixture) : SessionHandlerTests(fixture), IClassFixture<RedisFixture>;

/// <summary>The whole contract, on Garnet.</summary>
public sealed class GarnetHandlerTests(EmbeddedGarnetFixture fixture) : SessionHandlerTests(fixture), IClassFixture<EmbeddedGarnetFixture>;

/// <summary>The whole contract, on Redis as the farm starts it, with the rights of its user: what this needs and the user may not fails here.</summary>
public sealed class FarmUserHandlerTests(FarmUserFixture fixture) : SessionHandlerTests(fixture), IClassFixture<FarmUserFixture>;
