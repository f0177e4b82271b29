using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>The name a handler was added under.</summary>
internal sealed record SessionHandlerName(string Name)
{
    /// <summary>The handler that is always there, and is used when nothing else was added.</summary>
    public const string File = "file";
}

/// <summary>Which handler is used, by name: the configured one, else the only one that was added, else "file".</summary>
internal sealed class SessionHandlerChoice(IEnumerable<SessionHandlerName> added) : IPostConfigureOptions<RedisSessionsOptions>
{
    private readonly string[] _names = [.. added.Select(handler => handler.Name)];

    public void PostConfigure(string? name, RedisSessionsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!string.IsNullOrEmpty(options.Handler))
            return;
        var others = _names.Where(other => other != SessionHandlerName.File).ToArray();
        if (others.Length <= 1)
            options.Handler = others.Length == 0 ? SessionHandlerName.File : others[0];
    }

    /// <summary>What is wrong with the names that are configured, and the sentences that fix it.</summary>
    public IEnumerable<string> Errors(RedisSessionsOptions options)
    {
        if (string.IsNullOrEmpty(options.Handler))
            yield return $"Sessions:Handler is not set and several handlers are registered ({string.Join(", ", _names)}): set it to one of them.";
        else if (!_names.Contains(options.Handler))
            yield return NotRegistered(nameof(options.Handler), options.Handler);

        if (string.IsNullOrEmpty(options.ReadThrough))
            yield break;
        if (!_names.Contains(options.ReadThrough))
            yield return NotRegistered(nameof(options.ReadThrough), options.ReadThrough);
        else if (options.ReadThrough == options.Handler)
            yield return $"Sessions:ReadThrough is \"{options.ReadThrough}\", and so is Sessions:Handler: it must name the store that sessions are moved from.";
    }

    private string NotRegistered(string setting, string configured)
    {
        var fix = configured switch
        {
            "redis" => "reference RedisSessions.Redis and call .AddRedis()",
            "database" => "reference RedisSessions.Database and call .AddDatabase(...)",
            _ => $"call .AddHandler<THandler>(\"{configured}\")",
        };
        return $"Sessions:{setting} is \"{configured}\", which is not registered (registered: {string.Join(", ", _names)}): {fix} after AddRedisSessions().";
    }
}
