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
        if (Services.Any(service => service.ImplementationInstance is SessionHandlerName { Name: SessionHandlerName.File }))
            return;
        AddHandler<FileSessionHandler>(SessionHandlerName.File);
        Services.AddOptions<FileHandlerOptions>().BindConfiguration(FileHandlerOptions.Section).ValidateOnStart();
        Services.AddSingleton<IValidateOptions<FileHandlerOptions>, FileHandlerOptionsValidator>();
        Services.AddHostedService<ExpiredSessionCollector>();
    }
}

/// <summary>The name a handler was added under.</summary>
internal sealed record SessionHandlerName(string Name)
{
    /// <summary>The handler that is always there, and is used when nothing else was added.</summary>
    public const string File = "file";

    /// <summary>The configured handler, or the only one that was added; else null and the sentence that fixes it.</summary>
    public static string? Choose(string? configured, IEnumerable<SessionHandlerName> added, out string error)
    {
        error = "";
        var names = added.Select(handler => handler.Name).ToArray();
        if (!string.IsNullOrEmpty(configured))
        {
            if (names.Contains(configured))
                return configured;
            var fix = configured switch
            {
                "redis" => "reference RedisSessions.Redis and call .AddRedis()",
                "database" => "reference RedisSessions.Database and call .AddDatabase(...)",
                _ => $"call .AddHandler<THandler>(\"{configured}\")",
            };
            error = $"Sessions:Handler is \"{configured}\", which is not registered (registered: {string.Join(", ", names)}): {fix} after AddRedisSessions().";
            return null;
        }

        var chosen = names.Where(name => name != File).ToArray();
        if (chosen.Length <= 1)
            return chosen.Length == 0 ? File : chosen[0];
        error = $"Sessions:Handler is not set and several handlers are registered ({string.Join(", ", names)}): set it to one of them.";
        return null;
    }
}
