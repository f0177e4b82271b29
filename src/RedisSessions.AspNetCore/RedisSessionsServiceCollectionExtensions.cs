using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
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
        services.AddMetrics();
        services.TryAddSingleton<RequestMetrics>();
        services.TryAddSingleton<SessionCookie>();
        if (!services.Any(service => service.ServiceType == typeof(GracefulStop)))
        {
            services.AddSingleton<GracefulStop>();
            services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<GracefulStop>());
            services.AddSingleton<IValidateOptions<RedisSessionsOptions>, ShutdownDelayValidator>();
        }

        services.TryAddScoped<SessionHolder>();
        // The holder is what is kept for the request.
        services.TryAddTransient(static provider => provider.GetRequiredService<SessionHolder>().Session ?? throw HttpContextExtensions.Missing());
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

    /// <summary>
    /// Keeps visitors signed in who come with a session of before: its values are read once, become a session under this library's cookie, and the old record is removed
    /// after the commit. Remove the call when the last old session has expired.
    /// </summary>
    /// <param name="builder">What <see cref="AddRedisSessions"/> returned.</param>
    /// <param name="import">From where: <see cref="ImportFrom.AspNetCoreSession"/>.</param>
    public static RedisSessionsBuilder Import(this RedisSessionsBuilder builder, SessionImport import)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(import);
        builder.Services.AddDataProtection();
        builder.Services.AddSingleton(import);
        return builder;
    }

    /// <summary>
    /// Encrypts the values of sessions with ASP.NET Core Data Protection, whatever the handler. All instances have to share the key ring, for example in Redis
    /// (<c>AddDataProtection().PersistKeysToStackExchangeRedis(…)</c>), and the application name.
    /// </summary>
    /// <param name="builder">What <see cref="AddRedisSessions"/> returned.</param>
    /// <param name="acceptUnprotected">
    /// Whether records from before are read too; they are encrypted at their next commit. Set it to false once <see cref="RedisSessionsOptions.AbsoluteTimeout"/> has
    /// passed: from then on nobody who can write into the store can make up a session.
    /// </param>
    public static RedisSessionsBuilder ProtectPayload(this RedisSessionsBuilder builder, bool acceptUnprotected = true)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddDataProtection();
        builder.Services.AddSingleton<ISessionPayloadProtector>(provider =>
            new ProtectedPayload(provider.GetRequiredService<IDataProtectionProvider>(), acceptUnprotected));
        return builder;
    }
}
