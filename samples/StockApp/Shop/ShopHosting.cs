using Microsoft.AspNetCore.DataProtection;
using StackExchange.Redis;

namespace StockApp.Shop;

/// <summary>What the shop needs besides its session: pages, a cache and Data Protection keys, in Redis when there is one.</summary>
internal static class ShopHosting
{
    private const string Redis = "Sessions:Redis:Configuration";

    public static void AddShop(this WebApplicationBuilder builder)
    {
        builder.Services.AddRazorPages().AddSessionStateTempDataProvider();
        var protection = builder.Services.AddDataProtection().SetApplicationName("StockApp");
        if (builder.Configuration[Redis] is { Length: > 0 } redis)
        {
            // The cache is where AddSession() keeps its sessions; with the keys it protects its cookies. The import needs both.
            builder.Services.AddStackExchangeRedisCache(options => options.Configuration = redis);
            var connection = new Lazy<IConnectionMultiplexer>(() => ConnectionMultiplexer.Connect(redis));
            protection.PersistKeysToStackExchangeRedis(() => connection.Value.GetDatabase(), "stockapp:keys");
        }
        else
        {
            // A bare machine: one process needs no Redis.
            builder.Services.AddDistributedMemoryCache();
            if (builder.Configuration["Sessions:Handler"] is null)
                builder.Configuration["Sessions:Handler"] = "file";
        }
    }
}
