using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RedisSessions;
using RedisSessions.Redis;
using StackExchange.Redis;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Sessions in Redis, Valkey or Garnet: the handler "redis".</summary>
public static class RedisSessionsBuilderExtensions
{
    /// <summary>Adds the handler "redis".</summary>
    /// <param name="builder">What <c>AddRedisSessions</c> returned.</param>
    /// <param name="configuration">Where Redis is, for example <c>localhost:6379</c>; <c>Sessions:Redis:Configuration</c> has the last word.</param>
    public static RedisSessionsBuilder AddRedis(this RedisSessionsBuilder builder, string? configuration = null) =>
        builder.AddRedis(options => options.Configuration = configuration);

    /// <summary>Adds the handler "redis".</summary>
    /// <param name="builder">What <c>AddRedisSessions</c> returned.</param>
    /// <param name="configure">Defaults of the application; the configuration section <c>Sessions:Redis</c> has the last word.</param>
    public static RedisSessionsBuilder AddRedis(this RedisSessionsBuilder builder, Action<RedisHandlerOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.AddHandler<RedisSessionHandler>("redis");
        builder.Services.AddOptions<RedisHandlerOptions>().Configure(configure).BindConfiguration(RedisHandlerOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<RedisHandlerOptions>, RedisHandlerOptionsValidator>();
        builder.Services.TryAddSingleton(provider => new RedisConnection(
            provider.GetRequiredService<IOptions<RedisHandlerOptions>>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RedisSessionHandler>>(), provider.GetService<RedisMultiplexer>()));
        builder.Services.AddMetrics();
        builder.Services.TryAddSingleton<RedisMetrics>();
        builder.Services.TryAddSingleton<RedisStartChecks>();
        builder.Services.TryAddSingleton<RedisSelfTest>();
        // Only when Redis is in use: an application may carry several handlers and pick one by configuration.
        builder.Services.AddSingleton<IHostedService>(provider =>
            provider.GetRequiredService<IOptions<RedisSessionsOptions>>().Value is { Handler: "redis" } or { ReadThrough: "redis" }
                ? provider.GetRequiredService<RedisSelfTest>()
                : new NothingToTest());
        return builder;
    }

    /// <summary>Adds the handler "redis" over a connection that the application has made, tuned and will dispose of itself.</summary>
    /// <param name="builder">What <c>AddRedisSessions</c> returned.</param>
    /// <param name="multiplexer">The connection.</param>
    public static RedisSessionsBuilder AddRedis(this RedisSessionsBuilder builder, IConnectionMultiplexer multiplexer)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(multiplexer);
        builder.Services.AddSingleton(new RedisMultiplexer(multiplexer));
        return builder.AddRedis(static _ => { });
    }

    private sealed class NothingToTest : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
