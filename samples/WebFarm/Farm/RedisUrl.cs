using StackExchange.Redis;

namespace WebFarm.Farm;

/// <summary>
/// Reads <c>redis://user:password@host:port/database</c>, which other ecosystems use, besides StackExchange.Redis' own <c>host:port,options</c>.
/// </summary>
internal static class RedisUrl
{
    public static string ToConfiguration(string text)
    {
        if (!text.Contains("://", StringComparison.Ordinal))
            return Check(text);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("redis" or "rediss") || url.Host.Length == 0)
            throw new StartupException("REDIS_URL cannot be read: it must be redis://host:port (or rediss:// for TLS).");

        var options = new ConfigurationOptions { Ssl = url.Scheme == "rediss" };
        options.EndPoints.Add(url.Host, url.Port > 0 ? url.Port : 6379);
        var credentials = url.UserInfo.Split(':', 2);
        if (credentials is [var user, var password])
        {
            options.User = user.Length > 0 ? Uri.UnescapeDataString(user) : null;
            options.Password = Uri.UnescapeDataString(password);
        }

        if (int.TryParse(url.AbsolutePath.Trim('/'), out var database))
            options.DefaultDatabase = database;
        return options.ToString(includePassword: true);
    }

    private static string Check(string configuration)
    {
        try
        {
            ConfigurationOptions.Parse(configuration);
            return configuration;
        }
        catch (ArgumentException)
        {
            // Not the text itself: it may hold a password.
            throw new StartupException("Sessions:Redis:Configuration or REDIS_URL cannot be read: it must be host:port or redis://host:port.");
        }
    }

    /// <summary>The servers alone.</summary>
    public static string Describe(string configuration) =>
        string.Join(", ", configuration.Split(',', StringSplitOptions.TrimEntries).Where(static part => !part.Contains('=', StringComparison.Ordinal)));
}
