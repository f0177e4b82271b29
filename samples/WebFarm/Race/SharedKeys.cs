using Microsoft.AspNetCore.DataProtection;
using StackExchange.Redis;

namespace WebFarm.Race;

/// <summary>
/// The framework's session encrypts its cookie, so on a farm all instances need the same keys: without this it would lose everything, and the race
/// would be unfair. RedisSessions needs no keys.
/// </summary>
internal static class SharedKeys
{
    public static IServiceCollection AddSharedKeys(this IServiceCollection services, IConnectionMultiplexer redis)
    {
        services.AddDataProtection().SetApplicationName("web-farm").PersistKeysToStackExchangeRedis(redis, "web-farm:keys");
        return services;
    }
}
