using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>What <c>AddRedisSessions</c> returns, for the handlers' own <c>Add…</c> methods to hang on.</summary>
/// <param name="services">The application's services.</param>
public sealed class RedisSessionsBuilder(IServiceCollection services)
{
    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; } = services;

    /// <summary>Registers a handler under the name that <c>Sessions:Handler</c> picks it by.</summary>
    /// <typeparam name="THandler">The handler; it is created once, by dependency injection.</typeparam>
    /// <param name="name">Lower case by convention, for example "redis".</param>
    /// <exception cref="ArgumentException">The name is empty, or a handler of this name was added before.</exception>
    public RedisSessionsBuilder AddHandler<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(string name)
        where THandler : class, ISessionHandler
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (Services.Any(service => service.ImplementationInstance is SessionHandlerName other && other.Name == name))
            throw new ArgumentException($"A session handler named '{name}' has been added already.", nameof(name));
        Services.AddSingleton(new SessionHandlerName(name));
        Services.AddKeyedSingleton<ISessionHandler, THandler>(name);
        return this;
    }

    internal void AddCore()
    {
        Services.TryAddSingleton(TimeProvider.System);
        Services.TryAddSingleton<SessionManager>();
        Services.TryAddSingleton<ISessionDirectory, SessionDirectory>();
        Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RedisSessionsOptions>, RedisSessionsOptionsValidator>());
        Services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<RedisSessionsOptions>, SessionHandlerChoice>());
        Services.TryAddSingleton(static provider =>
        {
            var options = provider.GetRequiredService<IOptions<RedisSessionsOptions>>().Value;
            var handler = provider.GetRequiredKeyedService<ISessionHandler>(options.Handler);
            return options.ReadThrough is { Length: > 0 } old
                ? ReadThroughHandler.Create(handler, provider.GetRequiredKeyedService<ISessionHandler>(old))
                : handler;
        });
        if (Services.Any(service => service.ImplementationInstance is SessionHandlerName { Name: SessionHandlerName.File }))
            return;
        AddHandler<FileSessionHandler>(SessionHandlerName.File);
        Services.AddOptions<FileHandlerOptions>().BindConfiguration(FileHandlerOptions.Section).ValidateOnStart();
        Services.AddSingleton<IValidateOptions<FileHandlerOptions>, FileHandlerOptionsValidator>();
        Services.AddHostedService<ExpiredSessionCollector>();
    }
}
