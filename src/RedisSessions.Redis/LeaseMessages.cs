using System.Runtime.InteropServices;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// Who gives a lease back says so on one channel, <c>{prefix}released</c>, with the session's key. A process that waits for any lease listens there once; who waits for
/// which is known here and not at the server, which has nothing to keep per session.
/// </summary>
internal sealed class LeaseMessages(RedisStore store)
{
    private readonly RedisChannel _channel = RedisChannel.Literal(store.Name("released"));
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<Action>> _watches = [];
    private Task? _listening;

    /// <summary>Nobody waits for this: a message may get lost anyway, and those who wait ask again.</summary>
    public Task SendAsync(IDatabase database, SessionKey key) => database.PublishAsync(_channel, key.Value, CommandFlags.FireAndForget);

    public async ValueTask<IDisposable> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(released);
        await ListeningAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_lock)
            (CollectionsMarshal.GetValueRefOrAddDefault(_watches, key.Value, out _) ??= []).Add(released);
        return new Watch(this, key.Value, released);
    }

    /// <summary>Completes when the server sends its messages here; what failed is tried again for the next caller. The client listens again by itself after each reconnect.</summary>
    private Task ListeningAsync()
    {
        lock (_lock)
        {
            if (_listening is null or { IsFaulted: true } or { IsCanceled: true })
                _listening = ListenAsync();
            return _listening;
        }
    }

    private async Task ListenAsync() => await store.RunAsync("watch", this, static async (messages, attempt) =>
    {
        var subscriber = attempt.Database.Multiplexer.GetSubscriber();
        try
        {
            await subscriber.SubscribeAsync(messages._channel, messages.OnReleased).ConfigureAwait(false);
            return true;
        }
        catch
        {
            // The client may keep in mind what it could not do, and the next try would be called twice for each message.
            await subscriber.UnsubscribeAsync(messages._channel, messages.OnReleased, CommandFlags.FireAndForget).ConfigureAwait(false);
            throw;
        }
    }, CancellationToken.None).ConfigureAwait(false);

    private void OnReleased(RedisChannel channel, RedisValue key)
    {
        Action[] watches;
        lock (_lock)
            watches = _watches.TryGetValue(key.ToString(), out var found) ? [.. found] : [];
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
