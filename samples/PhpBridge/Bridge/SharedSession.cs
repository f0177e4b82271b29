namespace PhpBridge.Bridge;

/// <summary>One session for two halves: the same settings in the words of PHP and in those of .NET. This is what a site that moves has to get right.</summary>
/// <param name="Php">For php.ini.</param>
/// <param name="DotNet">For appsettings.json.</param>
internal sealed record SharedSession(IReadOnlyDictionary<string, string> Php, IReadOnlyDictionary<string, string?> DotNet)
{
    private const int IdleSeconds = 1200;

    public static SharedSession InRedis(string endpoint) => new(
        new Dictionary<string, string>(Cookie)
        {
            ["session.save_handler"] = "redis",
            ["session.save_path"] = $"tcp://{endpoint}?prefix=PHPREDIS_SESSION:",
            // Off by default in phpredis; without it two requests of PHP overwrite each other, whatever .NET does.
            ["redis.session.locking_enabled"] = "1",
            // 2000 times 5 ms: a page that finds the session locked waits for it, instead of going on without a lock.
            ["redis.session.lock_retries"] = "2000",
            ["redis.session.lock_wait_time"] = "5000",
        },
        new Dictionary<string, string?>(Shared)
        {
            ["Sessions:Handler"] = "redis",
            ["Sessions:Redis:Configuration"] = endpoint,
            ["Sessions:Redis:Layout"] = "Php",
            ["Sessions:Redis:KeyPrefix"] = "PHPREDIS_SESSION:",
        });

    public static SharedSession InFiles(string folder) => new(
        new Dictionary<string, string>(Cookie)
        {
            ["session.save_handler"] = "files",
            ["session.save_path"] = folder,
        },
        new Dictionary<string, string?>(Shared)
        {
            ["Sessions:Handler"] = "file",
            ["Sessions:File:Path"] = folder,
            ["Sessions:File:Layout"] = "Php",
        });

    // One name, path and domain, else a browser keeps two cookies. Secure on both sides as soon as the site has HTTPS.
    private static Dictionary<string, string> Cookie => new()
    {
        ["session.name"] = "PHPSESSID",
        ["session.cookie_path"] = "/",
        ["session.cookie_httponly"] = "1",
        ["session.cookie_samesite"] = "Lax",
        // As on this side: an id that the store does not know is never adopted.
        ["session.use_strict_mode"] = "1",
        ["session.gc_maxlifetime"] = $"{IdleSeconds}",
        // A shared cache must not keep pages of a session.
        ["session.cache_limiter"] = "nocache",
    };

    private static Dictionary<string, string?> Shared => new()
    {
        ["Sessions:Cookie:Name"] = "PHPSESSID",
        ["Sessions:Cookie:Path"] = "/",
        ["Sessions:Cookie:SameSite"] = "Lax",
        ["Sessions:Cookie:SecurePolicy"] = "SameAsRequest",
        ["Sessions:IdleTimeout"] = TimeSpan.FromSeconds(IdleSeconds).ToString(),
        ["Sessions:UserKey"] = "account.current_user_id",
    };
}
