using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSessions;

/// <summary>How sessions reach Redis. Bound from the configuration section <c>Sessions:Redis</c>, which has the last word, and validated at start.</summary>
public sealed class RedisHandlerOptions
{
    /// <summary>The configuration section: <c>Sessions:Redis</c>.</summary>
    public const string Section = "Sessions:Redis";

    /// <summary>
    /// Where Redis is, as StackExchange.Redis writes it: <c>host:port,password=…,ssl=true</c>. Default: none. What it does not mention is tuned for sessions:
    /// reconnecting within 100 ms to 2 s, answers awaited for 2 s, start without a server.
    /// </summary>
    public string? Configuration { get; set; }

    /// <summary>What the names of all keys begin with. Default: <c>session:</c>; may be empty, at most 200 characters.</summary>
    public string KeyPrefix { get; set; } = "session:";

    /// <summary>How often a read or commit is tried when the connection is lost or silent. Default: 3; 1 to 10.</summary>
    public int Tries { get; set; } = 3;

    /// <summary>Whether a server that has lost an update in the self-test keeps the application from starting. Default: true.</summary>
    public bool SelfTest { get; set; } = true;
}

/// <summary>Refuses settings that cannot work, at start, naming the setting and its value.</summary>
internal sealed class RedisHandlerOptionsValidator : IValidateOptions<RedisHandlerOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisHandlerOptions options)
    {
        List<string> errors = [];
        if (options.Configuration is { } configuration)
        {
            try
            {
                if (ConfigurationOptions.Parse(configuration).EndPoints.Count == 0)
                    errors.Add("Sessions:Redis:Configuration names no server: it must be \"host:port\", with options after commas.");
            }
            catch (ArgumentException e)
            {
                // The string may hold a password: name the setting, and what the client says of it.
                errors.Add($"Sessions:Redis:Configuration cannot be read: {e.Message}");
            }
        }

        if (options.KeyPrefix is null || options.KeyPrefix.Length > 200)
            errors.Add($"Sessions:Redis:KeyPrefix has {options.KeyPrefix?.Length ?? 0} characters: it must be set and have at most 200.");
        if (options.Tries is < 1 or > 10)
            errors.Add($"Sessions:Redis:Tries is {options.Tries}: it must be from 1 to 10.");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
