using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>Everything that was logged, as text with its exceptions.</summary>
internal sealed class CapturedLogs : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>A response may reach the client before the server has logged about it.</summary>
    public Task HaveAsync(string text) => TestServers.Poll.UntilAsync(
        () => _lines.Any(line => line.Contains(text, StringComparison.Ordinal)), TimeSpan.FromSeconds(10), $"the log has \"{text}\"",
        TestContext.Current.CancellationToken);

    public void Forget() => _lines.Clear();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel} {eventId.Id} {formatter(state, exception)} {exception}");

    public void Dispose() { }
}
