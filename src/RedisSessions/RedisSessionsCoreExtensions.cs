using RedisSessions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the session engine without any HTTP; <c>AddRedisSessions</c> of RedisSessions.AspNetCore calls this.</summary>
public static class RedisSessionsCoreExtensions
{
    /// <summary>Adds <see cref="SessionManager"/> and its options, bound from the configuration section <c>Sessions</c>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Defaults of the application; the configuration section has the last word.</param>
    /// <returns>The builder that handlers are added to.</returns>
    public static RedisSessionsBuilder AddRedisSessionsCore(this IServiceCollection services, Action<RedisSessionsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var builder = new RedisSessionsBuilder(services);
        services.AddOptions<RedisSessionsOptions>()
            .Configure(configure ?? (static _ => { }))
            .BindConfiguration(RedisSessionsOptions.Section)
            .ValidateOnStart();
        builder.AddCore();
        return builder;
    }
}
