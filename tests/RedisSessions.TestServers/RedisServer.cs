using DotNet.Testcontainers.Builders;
using Testcontainers.Redis;

namespace RedisSessions.TestServers;

/// <summary>
/// The Redis that tests run against: the one in <c>REDIS_URL</c>; else a redis-server from the PATH; else one in Docker; else none. A server from
/// <c>REDIS_URL</c> may be shared: tests use keys of their own and never flush it.
/// </summary>
public sealed class RedisServer : IAsyncDisposable
{
    /// <summary>What is said where there is no Redis.</summary>
    public const string None = "no Redis: REDIS_URL is not set, redis-server is not on the PATH, and no Docker daemon gave one. Garnet only.";

    private static readonly TimeSpan DockerPatience = TimeSpan.FromSeconds(90);
    private readonly IAsyncDisposable? _owned;

    private RedisServer(string configuration, string origin, IAsyncDisposable? owned)
    {
        Configuration = configuration;
        Origin = origin;
        _owned = owned;
    }

    /// <summary>What StackExchange.Redis needs to find it.</summary>
    public string Configuration { get; }

    /// <summary>Where it comes from, for the output.</summary>
    public string Origin { get; }

    public static async Task<RedisServer?> TryStartAsync(CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable("REDIS_URL") is { Length: > 0 } url)
            return new RedisServer(Parse(url), "REDIS_URL", owned: null);
        if (await RedisProcess.TryStartAsync([], cancellationToken) is { } process)
            return new RedisServer(process.Configuration, "redis-server on the PATH", process);
        return await TryDockerAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => _owned?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary><c>redis://user:password@host:port</c>, <c>rediss://…</c> or what StackExchange.Redis itself reads.</summary>
    public static string Parse(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!url.Contains("://", StringComparison.Ordinal))
            return url;
        var uri = new Uri(url);
        var configuration = $"{uri.Host}:{(uri.Port > 0 ? uri.Port : 6379)}";
        if (uri.Scheme == "rediss")
            configuration += ",ssl=true";
        if (uri.UserInfo.Split(':', 2) is [var user, var password])
        {
            configuration += $",password={Uri.UnescapeDataString(password)}";
            if (user.Length > 0)
                configuration += $",user={Uri.UnescapeDataString(user)}";
        }

        return int.TryParse(uri.AbsolutePath.Trim('/'), out var database) ? $"{configuration},defaultDatabase={database}" : configuration;
    }

    private static async Task<RedisServer?> TryDockerAsync(CancellationToken cancellationToken)
    {
        // Looking for the daemon first: without one the client library tries for a long time.
        if (Environment.GetEnvironmentVariable("DOCKER_HOST") is null && !File.Exists("/var/run/docker.sock"))
            return null;
        RedisContainer? container = null;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(DockerPatience);
            container = new RedisBuilder("redis:7.0").Build();
            await container.StartAsync(patience.Token);
            return new RedisServer(container.GetConnectionString(), "Docker, redis:7.0", container);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"Docker gave no Redis: {e.Message}");
            if (container is not null)
                await container.DisposeAsync();
            return null;
        }
    }
}
