using System.Globalization;
using System.Security.Cryptography;
using RedisSessions.TestServers;

namespace RedisSessions.Redis.Tests.Servers;

/// <summary>A Redis as containers and the web farm start it: by <c>docker/redis/start.sh</c>, with its settings, users and passwords. On a free loopback port.</summary>
public sealed class FarmRedis : IAsyncDisposable
{
    public const string None = "no redis-server and redis-cli on the PATH: docker/redis/start.sh starts them";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly string _folder = Directory.CreateTempSubdirectory("farm-redis-").FullName;
    private readonly string _prefix;
    private ChildProcess _child = null!;

    private FarmRedis(string prefix)
    {
        _prefix = prefix;
        File.WriteAllText(PasswordFile, Password);
        File.WriteAllText(ServersPasswordFile, ServersPassword);
        Directory.CreateDirectory(Data);
    }

    public static string Script { get; } = Path.Combine(Root(), "docker", "redis", "start.sh");

    public int Port { get; private set; }

    public int ProcessId => _child.Id;

    public string Output => _child.Output;

    public string Password { get; } = NewPassword();

    public string ServersPassword { get; } = NewPassword();

    public string PasswordFile => Path.Combine(_folder, "sessions");

    public string ServersPasswordFile => Path.Combine(_folder, "servers");

    /// <summary>Where the server has its log, its users and its settings.</summary>
    public string Data => Path.Combine(_folder, "data");

    /// <summary>As the application signs in.</summary>
    public string Configuration => As("sessions", Password);

    public string As(string user, string password) => $"127.0.0.1:{Port},user={user},password={password}";

    /// <summary>Starts a server whose user may use names that begin with the prefix; null where there is none on the PATH.</summary>
    public static async Task<FarmRedis?> TryStartAsync(string prefix, CancellationToken cancellationToken)
    {
        if (RedisCli.Program is null)
            return null;
        var redis = new FarmRedis(prefix);
        for (var attempt = 1; ; attempt++)
        {
            redis.Port = FreePort.Next();
            redis._child = await redis.RunAsync("server", cancellationToken);
            await Poll.UntilAsync(
                async () => redis._child.HasExited || await RedisProcess.AnswersAsync(redis.Port, cancellationToken), Patience, "redis-server answers", cancellationToken);
            if (!redis._child.HasExited)
                return redis;
            var output = redis.Output;
            await redis._child.DisposeAsync();
            if (attempt == FreePort.Tries)
                throw new InvalidOperationException($"redis-server ended at once.\n{output}");
        }
    }

    /// <summary>Runs the script in another of its modes, on the same files; gives what it wrote, and throws when it failed.</summary>
    public async Task<string> AskAsync(string mode, CancellationToken cancellationToken)
    {
        await using var script = await RunAsync(mode, cancellationToken, "&& echo ENDED WELL || echo ENDED BADLY");
        await Poll.UntilAsync(() => script.Output.Contains("ENDED", StringComparison.Ordinal), Patience, $"start.sh {mode} ends", cancellationToken);
        return script.Output.Contains("ENDED WELL", StringComparison.Ordinal) ? script.Output : throw new InvalidOperationException(script.Output);
    }

    public async ValueTask DisposeAsync()
    {
        await _child.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string NewPassword() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    private Task<ChildProcess> RunAsync(string mode, CancellationToken cancellationToken, string then = "")
    {
        string[] settings =
        [
            $"REDIS_PASSWORD_FILE={PasswordFile}", $"REDIS_SERVERS_PASSWORD_FILE={ServersPasswordFile}", $"REDIS_PREFIX={_prefix}", $"REDIS_DATA={Data}",
            string.Create(CultureInfo.InvariantCulture, $"REDIS_PORT={Port}"), "REDIS_BIND=127.0.0.1",
        ];
        return then.Length == 0
            ? ChildProcess.StartAsync("env", [.. settings, "/bin/sh", Script, mode], cancellationToken)
            : ChildProcess.StartAsync("env", [.. settings, "/bin/sh", "-c", $"/bin/sh '{Script}' {mode} {then}"], cancellationToken);
    }

    private static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "RedisSessions.sln")))
                return folder;
        }

        throw new InvalidOperationException("The repository is not above the tests.");
    }
}
