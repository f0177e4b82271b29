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
        Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RedisSessionsOptions>, RedisSessionsOptionsValidator>());
        Services.TryAddSingleton(provider =>
        {
            var configured = provider.GetRequiredService<IOptions<RedisSessionsOptions>>().Value.Handler;
            var name = SessionHandlerName.Choose(configured, provider.GetServices<SessionHandlerName>(), out var error);
            return provider.GetRequiredKeyedService<ISessionHandler>(name ?? throw new InvalidOperationException(error));
        });
    }
}

/// <summary>The name a handler was added under.</summary>
internal sealed record SessionHandlerName(string Name)
{
    /// <summary>The configured handler, or the only one; else null and the sentence that fixes it.</summary>
    public static string? Choose(string? configured, IEnumerable<SessionHandlerName> added, out string error)
    {
        error = "";
        var names = added.Select(handler => handler.Name).ToArray();
        if (string.IsNullOrEmpty(configured))
        {
            if (names.Length == 1)
                return names[0];
            error = names.Length == 0
                ? "No session handler is registered: reference RedisSessions.Redis and call .AddRedis(\"localhost:6379\") after AddRedisSessions()."
                : $"Sessions:Handler is not set and several handlers are registered ({string.Join(", ", names)}): set it to one of them.";
            return null;
        }

        if (names.Contains(configured))
            return configured;
        var fix = configured == "redis"
            ? "reference RedisSessions.Redis and call .AddRedis()"
            : $"call .AddHandler<THandler>(\"{configured}\")";
        error = $"Sessions:Handler is \"{configured}\", which is not registered "
            + $"(registered: {(names.Length == 0 ? "none" : string.Join(", ", names))}): {fix} after AddRedisSessions().";
        return null;
    }
}
