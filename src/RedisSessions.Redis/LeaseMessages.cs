using System.Runtime.InteropServices;
using System.Text;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// Who gives a lease back says so on one channel, <c>{prefix}released</c>, with the session's key. A process that waits for any lease listens there once; who waits for
/// which is known here and not at the server, which has nothing to keep per session.
/// </summary>
internal sealed class LeaseMessages : IDisposable
{
    private readonly ChannelListener _listener;
    private readonly RedisChannel _channel;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<Action>> _watches = [];

    public LeaseMessages(RedisStore store, RedisConnection connection, TimeProvider time)
    {
        var name = store.Name("released");
        (_channel, _listener) = (RedisChannel.Literal(name), new ChannelListener(store, connection, time, name, OnReleased));
    }

    /// <summary>Nobody waits for this: a message may get lost anyway, and those who wait ask again.</summary>
    public Task SendAsync(IDatabase database, SessionKey key) => database.PublishAsync(_channel, key.Value, CommandFlags.FireAndForget);

    public async ValueTask<IDisposable> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(released);
        await _listener.SubscribedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_lock)
            (CollectionsMarshal.GetValueRefOrAddDefault(_watches, key.Value, out _) ??= []).Add(released);
        return new Watch(this, key.Value, released);
    }

    public void Dispose() => _listener.Dispose();

    private void OnReleased(ReadOnlyMemory<byte> message)
    {
        Action[] watches;
        lock (_lock)
            watches = _watches.TryGetValue(Encoding.UTF8.GetString(message.Span), out var found) ? [.. found] : [];
        foreach (var released in watches)
            released();
    }

    private void Remove(string key, Action released)
    {
        lock (_lock)
        {
            if (_watches.TryGetValue(key, out var watches) && watches.Remove(released) && watches.Count == 0)
                _watches.Remove(key);
        }
    }

    private sealed class Watch(LeaseMessages messages, string key, Action released) : IDisposable
    {
        private bool _disposed;

        public void Dispose()
        {
            // Twice must not end somebody else's watch with the same callback.
            if (!Interlocked.Exchange(ref _disposed, true))
                messages.Remove(key, released);
        }
    }
}
