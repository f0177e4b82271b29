using DotNet.Testcontainers.Containers;
using Testcontainers.MySql;
using Testcontainers.PostgreSql;

namespace RedisSessions.TestServers;

/// <summary>
/// A database server that tests run against: the one in an environment variable; else a server binary of this machine; else one in Docker; else none. One from
/// the environment may be shared: tests use tables of their own.
/// </summary>
public abstract class DatabaseServer : IAsyncDisposable
{
    private static readonly TimeSpan DockerPatience = TimeSpan.FromSeconds(90);
    private readonly IAsyncDisposable? _owned;

    private protected DatabaseServer(string connectionString, string origin, IAsyncDisposable? owned)
    {
        ConnectionString = connectionString;
        Origin = origin;
        _owned = owned;
    }

    public string ConnectionString { get; }

    /// <summary>Where it comes from, for the output.</summary>
    public string Origin { get; }

    /// <summary>The process, when it is one of our own.</summary>
    public DatabaseProcess? Process => _owned as DatabaseProcess;

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _owned?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    /// <summary><c>postgres://user:password@host:port/database</c>, <c>mysql://…</c>, or what the driver itself reads.</summary>
    public static string Parse(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!url.Contains("://", StringComparison.Ordinal))
            return url;
        var uri = new Uri(url);
        var connection = $"Host={uri.Host}";
        if (uri.Port > 0)
            connection += $";Port={uri.Port}";
        var user = uri.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
            connection += $";Username={Uri.UnescapeDataString(user[0])}";
        if (user.Length > 1)
            connection += $";Password={Uri.UnescapeDataString(user[1])}";
        return uri.AbsolutePath.Trim('/') is { Length: > 0 } database ? $"{connection};Database={database}" : connection;
    }

    private protected static async Task<TContainer?> TryDockerAsync<TContainer>(Func<TContainer> build, string what, CancellationToken cancellationToken)
        where TContainer : DockerContainer
    {
        // Looking for the daemon first: without one the client library tries for a long time.
        if (Environment.GetEnvironmentVariable("DOCKER_HOST") is null && !File.Exists("/var/run/docker.sock"))
            return null;
        TContainer? container = null;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(DockerPatience);
            container = build();
            await container.StartAsync(patience.Token);
            return container;
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"Docker gave no {what}: {e.Message}");
            if (container is not null)
                await container.DisposeAsync();
            return null;
        }
    }
}

/// <summary>PostgreSQL: from <c>POSTGRES_URL</c>, else a binary, else Docker.</summary>
public sealed class PostgresServer : DatabaseServer
{
    /// <summary>What is said where there is none.</summary>
    public const string None = "no PostgreSQL: POSTGRES_URL is not set, no postgres is on the PATH or in /usr/lib/postgresql (or root has no setpriv), and no Docker daemon gave one.";

    private const string Image = "postgres:15";

    private PostgresServer(string connectionString, string origin, IAsyncDisposable? owned) : base(connectionString, origin, owned) { }

    public static async Task<PostgresServer?> TryStartAsync(CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable("POSTGRES_URL") is { Length: > 0 } url)
            return new PostgresServer(Parse(url), "POSTGRES_URL", owned: null);
        if (await DatabaseProcess.TryStartPostgresAsync(cancellationToken) is { } process)
            return new PostgresServer($"Host=127.0.0.1;Port={process.Port};Username=sessions;Database=postgres", "a postgres of this machine", process);
        return await TryDockerAsync(() => new PostgreSqlBuilder(Image).Build(), "PostgreSQL", cancellationToken) is { } container
            ? new PostgresServer(container.GetConnectionString(), $"Docker, {Image}", container)
            : null;
    }
}

/// <summary>MariaDB or MySQL: from <c>MYSQL_URL</c>, else a binary of MariaDB, else MySQL in Docker.</summary>
public sealed class MariaDbServer : DatabaseServer
{
    /// <summary>What is said where there is none.</summary>
    public const string None = "no MariaDB or MySQL: MYSQL_URL is not set, mariadbd is not on the PATH, and no Docker daemon gave one.";

    private const string Image = "mysql:8.4";

    private MariaDbServer(string connectionString, string origin, IAsyncDisposable? owned) : base(connectionString, origin, owned) { }

    public static async Task<MariaDbServer?> TryStartAsync(CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable("MYSQL_URL") is { Length: > 0 } url)
            return new MariaDbServer(Parse(url), "MYSQL_URL", owned: null);
        if (await DatabaseProcess.TryStartMariaDbAsync(cancellationToken) is { } process)
            return new MariaDbServer($"Host=127.0.0.1;Port={process.Port};Username=root;Database=sessions", "a mariadbd of this machine", process);
        return await TryDockerAsync(() => new MySqlBuilder(Image).Build(), "MySQL", cancellationToken) is { } container
            ? new MariaDbServer(container.GetConnectionString(), $"Docker, {Image}", container)
            : null;
    }
}
