using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using RedisSessions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers sessions.</summary>
public static class RedisSessionsServiceCollectionExtensions
{
    /// <summary>
    /// Adds sessions: the scoped service <see cref="Session"/>, options bound from the configuration section <c>Sessions</c> and validated at start. Add a
    /// handler to what this returns, and <c>app.UseRedisSessions()</c> to the pipeline.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Defaults of the application; configuration has the last word.</param>
    public static RedisSessionsBuilder AddRedisSessions(this IServiceCollection services, Action<RedisSessionsOptions>? configure = null)
    {
        var builder = services.AddRedisSessionsCore(configure);
        services.AddOptions<SessionCookieOptions>().BindConfiguration(SessionCookieOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SessionCookieOptions>, SessionCookieOptionsValidator>());
        services.TryAddSingleton<SessionCookie>();
        services.TryAddScoped<SessionHolder>();
        services.TryAddScoped(provider => provider.GetRequiredService<SessionHolder>().Session ?? throw HttpContextExtensions.Missing());
        return builder;
    }

    /// <summary>Sets defaults of the session cookie; the configuration section <c>Sessions:Cookie</c> has the last word.</summary>
    /// <param name="builder">What <see cref="AddRedisSessions"/> returned.</param>
    /// <param name="configure">Sets the defaults.</param>
    public static RedisSessionsBuilder ConfigureCookie(this RedisSessionsBuilder builder, Action<SessionCookieOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        // Before the binding, which was registered first: what is configured is inserted in front of it.
        var binding = builder.Services.IndexOf(builder.Services.First(service => service.ServiceType == typeof(IConfigureOptions<SessionCookieOptions>)));
        builder.Services.Insert(binding, ServiceDescriptor.Singleton<IConfigureOptions<SessionCookieOptions>>(
            new ConfigureNamedOptions<SessionCookieOptions>(Options.Options.DefaultName, configure)));
        return builder;
    }
}
