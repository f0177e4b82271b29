using RedisSessions.TestServers;

namespace PhpBridge.Bridge;

/// <summary>The programs that a site of this kind has: looked for on the PATH, and where Debian puts what users need not call.</summary>
/// <param name="Nginx">The web server.</param>
/// <param name="PhpFpm">PHP behind it.</param>
internal sealed record Programs(string Nginx, string PhpFpm)
{
    /// <exception cref="StartupException">One is missing; the message says what to install.</exception>
    public static Programs Find(BridgeStore store)
    {
        var (nginx, php) = (Find("nginx"), Find("php-fpm") ?? Find("php-fpm?.?"));
        List<string> missing = [];
        if (nginx is null)
            missing.Add("nginx");
        if (php is null)
            missing.Add("php-fpm");
        if (store == BridgeStore.Redis && RedisProcess.Program is null)
            missing.Add("redis-server");
        return missing.Count == 0
            ? new Programs(nginx!, php!)
            : throw new StartupException($"Not on the PATH: {string.Join(", ", missing)}. On Debian and Ubuntu: apt-get install nginx php-fpm php-redis redis-server");
    }

    private static string? Find(string pattern) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(["/usr/sbin", "/usr/local/sbin"])
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, pattern).Order(StringComparer.Ordinal).Reverse())
            .FirstOrDefault();
}
