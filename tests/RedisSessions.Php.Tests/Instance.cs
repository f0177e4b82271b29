using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RedisSessions.TestServers;

namespace RedisSessions.Php.Tests;

/// <summary>One instance of an application whose sessions are shared with PHP, without HTTP.</summary>
internal static class Instance
{
    public static ServiceProvider Create(Action<RedisSessionsBuilder> handler, Action<RedisSessionsOptions>? sessions = null, TimeProvider? time = null,
        Action<FileHandlerOptions>? file = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new LogWatch()));
        if (time is not null)
            services.AddSingleton(time);
        handler(services.AddRedisSessionsCore(sessions));
        if (file is not null)
            services.Configure(file);
        return services.BuildServiceProvider();
    }

    public static SessionManager Manager(this ServiceProvider instance) => instance.GetRequiredService<SessionManager>();

    /// <summary>An id as PHP has it, which must come out nowhere.</summary>
    public static SessionId Parse(string id, SessionIdFormat format = SessionIdFormat.Php)
    {
        Secrets.Note(id);
        return SessionId.TryParse(id, format, out var parsed) ? parsed : throw new ArgumentException("This is no id.", nameof(id));
    }

    /// <summary>One request: loads, adds one, commits.</summary>
    public static async Task IncrementAsync(this SessionManager manager, SessionId id, string key, CancellationToken cancellationToken)
    {
        var session = await manager.LoadAsync(id, cancellationToken: cancellationToken);
        if (session.IsNew)
            throw new InvalidOperationException("The session is not there.");
        session.Increment(key);
        await session.CommitAsync(cancellationToken);
    }

    public static async Task<long> CountAsync(this SessionManager manager, SessionId id, string key, CancellationToken cancellationToken) =>
        (await manager.LoadAsync(id, cancellationToken: cancellationToken)).Get<long>(key);

    private sealed class LogWatch : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Secrets.Seen("log", $"{formatter(state, exception)} {exception}");

        public void Dispose() { }
    }
}
