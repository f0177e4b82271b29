using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace RedisSessions.Redis.Tests;

/// <summary>Keeps everything that is logged: level, number, text, each value in the state, and the exception in full.</summary>
internal sealed class LogCapture : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<Entry> _entries = [];

    public IReadOnlyCollection<Entry> Entries => _entries;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var values = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join('\n', pairs.Select(pair => $"{pair.Key}={pair.Value}")) : "";
        var entry = new Entry(logLevel, eventId.Id, formatter(state, exception), $"{values}\n{exception}");
        _entries.Enqueue(entry);
        TestServers.Secrets.Seen($"the log message {eventId}", $"{entry.Text}\n{entry.Rest}");
    }

    public void Dispose() { }

    public sealed record Entry(LogLevel Level, int Id, string Text, string Rest);
}
