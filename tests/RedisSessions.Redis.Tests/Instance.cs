using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RedisSessions.Redis.Tests;

/// <summary>One instance of an application, without HTTP: the services as an application registers them, with a Redis connection of their own.</summary>
internal static class Instance
{
    public static ServiceProvider Create(
        string configuration, Action<RedisHandlerOptions>? redis = null, Action<RedisSessionsOptions>? sessions = null, ILoggerProvider? log = null) =>
        Create(builder => builder.AddRedis(options =>
        {
            options.Configuration = configuration;
            redis?.Invoke(options);
        }), sessions, log);

    public static ServiceProvider Create(Action<RedisSessionsBuilder> handler, Action<RedisSessionsOptions>? sessions = null, ILoggerProvider? log = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging(logging =>
        {
            logging.SetMinimumLevel(LogLevel.Trace);
            if (log is not null)
                logging.AddProvider(log);
        });
        handler(services.AddRedisSessionsCore(sessions));
        return services.BuildServiceProvider();
    }
}
