using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RedisSessions.TestServers;

namespace RedisSessions.Redis.Tests;

/// <summary>One instance of an application, without HTTP: the services as an application registers them, with a Redis connection of their own.</summary>
internal static class Instance
{
    public static ServiceProvider Create(
        string configuration, Action<RedisHandlerOptions>? redis = null, Action<RedisSessionsOptions>? sessions = null, ILoggerProvider? log = null) =>
        Create(builder => builder.AddRedis(options =>
        {
            options.Configuration = configuration;
            redis?.Invoke(options);
        }), sessions, log);

    public static ServiceProvider Create(Action<RedisSessionsBuilder> handler, Action<RedisSessionsOptions>? sessions = null, ILoggerProvider? log = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging(logging =>
        {
            logging.SetMinimumLevel(LogLevel.Trace);
            if (log is not null)
                logging.AddProvider(log);
        });
        handler(services.AddRedisSessionsCore(sessions));
        return services.BuildServiceProvider();
    }

    /// <summary>What a host does at start: the options are validated, then the hosted services are started in order.</summary>
    public static async Task StartAsync(this ServiceProvider instance, CancellationToken cancellationToken)
    {
        instance.GetService<IStartupValidator>()?.Validate();
        foreach (var service in instance.GetServices<IHostedService>())
            await service.StartAsync(cancellationToken);
    }

    /// <summary>Waits until the self-test is over and the connection is warm: with the short time-outs of a test, and on a busy machine, that takes a few tries.</summary>
    public static Task WarmUpAsync(this ServiceProvider instance, CancellationToken cancellationToken) => Poll.UntilAsync(
        async () => await Xunit.Record.ExceptionAsync(
            async () => await instance.Handler().ReadAsync(SessionKey.From(SessionId.New()), TimeSpan.FromMinutes(1), cancellationToken)) is null,
        TimeSpan.FromSeconds(30), "the server answers", cancellationToken);

    public static ISessionHandler Handler(this ServiceProvider instance) => instance.GetRequiredService<ISessionHandler>();

    public static SessionManager Manager(this ServiceProvider instance) => instance.GetRequiredService<SessionManager>();

    /// <summary>A manager over another handler, with the options of this instance.</summary>
    public static SessionManager Manager(this ServiceProvider instance, ISessionHandler handler) => new(
        handler,
        instance.GetRequiredService<IOptions<RedisSessionsOptions>>(),
        TimeProvider.System,
        instance.GetRequiredService<ILogger<SessionManager>>());

    /// <summary>Stores a new session with one value, and gives its id.</summary>
    public static async Task<SessionId> CreateSessionAsync(this SessionManager manager, string key, long value, CancellationToken cancellationToken)
    {
        var session = manager.Create();
        session[key] = value;
        await session.CommitAsync(cancellationToken);
        Assert.True(SessionId.TryParse(session.Id, out var id));
        TestServers.Secrets.Note(id.Value);
        return id;
    }

    /// <summary>One request: loads, adds one, commits.</summary>
    public static async Task IncrementAsync(this SessionManager manager, SessionId id, string key, CancellationToken cancellationToken)
    {
        var session = await manager.LoadAsync(id, cancellationToken: cancellationToken);
        session.Increment(key);
        await session.CommitAsync(cancellationToken);
    }

    /// <summary>What is stored now.</summary>
    public static async Task<long> CountAsync(this SessionManager manager, SessionId id, string key, CancellationToken cancellationToken) =>
        (await manager.LoadAsync(id, cancellationToken: cancellationToken)).Get<long>(key);

    /// <summary>Whether a commit was stored, if need be at a second try whose answer shows the first one.</summary>
    public static bool Stored(this CommitResult result, SessionRecord record) =>
        result is CommitResult.Committed || (result is CommitResult.Conflict { Current: var current } && current.HasCommit(record.CommitIds[0]));

    /// <summary>A record for tests below the manager.</summary>
    public static SessionRecord Record(ulong version, TimeSpan? own = null, string? user = null) => new()
    {
        Version = new SessionVersion(version),
        CreatedAt = DateTimeOffset.UtcNow,
        AbsoluteDeadline = DateTimeOffset.UtcNow.AddHours(1),
        CommitIds = [CommitId.New()],
        PayloadFormat = PayloadFormat.MessagePack,
        Payload = new byte[] { 0x80 },
        IdleTimeout = own,
        UserId = user,
        IndexUser = user is not null,
    };
}
