using System.Text;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// Listens on a channel, and knows whether messages arrive: by one of its own that did, after each reconnect, only then. The client listens again by itself after a reconnect, but
/// asks for it once: where that is refused or gets lost, nothing would arrive from then on, and nothing would say so. Then this subscribes anew.
/// </summary>
internal sealed class ChannelListener(
    RedisStore store, RedisConnection connection, TimeProvider time, string channel, Action<ReadOnlyMemory<byte>> received, Action? missed = null) : IDisposable
{
    // A server that lets nobody listen is asked ever less often.
    private static readonly TimeSpan Soonest = TimeSpan.FromMilliseconds(250), Latest = TimeSpan.FromSeconds(4);

    private readonly RedisChannel _channel = RedisChannel.Literal(channel);
    private readonly byte[] _probe = Encoding.ASCII.GetBytes("probe:" + Guid.NewGuid().ToString("N"));
    private readonly CancellationTokenSource _disposed = new();
    private readonly Lock _lock = new();
    private Task? _subscribed, _listening;
    private TimeSpan _again = Soonest;
    private bool _arrive, _follows, _isDisposed;

    public bool Arrive => Volatile.Read(ref _arrive);

    /// <summary>Listens from now on, whatever fails meanwhile.</summary>
    public void Start()
    {
        lock (_lock)
        {
            Follow();
            _listening ??= ListenAsync().Observed();
        }
    }

    /// <summary>Completes when the server has agreed to send its messages here; what failed is tried again for the next caller.</summary>
    public Task SubscribedAsync()
    {
        lock (_lock)
        {
            if (_subscribed is null or { IsFaulted: true } or { IsCanceled: true })
                _subscribed = SubscribeAsync();
            return _subscribed;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
        }

        connection.Changed -= OnConnectionChanged;
        _disposed.Cancel();
        _disposed.Dispose();
    }

    private void Follow()
    {
        if (_follows || _isDisposed)
            return;
        _follows = true;
        connection.Changed += OnConnectionChanged;
    }

    private async Task SubscribeAsync()
    {
        await store.RunAsync("watch", this, static async (listener, attempt) =>
        {
            var subscriber = attempt.Database.Multiplexer.GetSubscriber();
            // The client takes its own word for a subscription that it has, and for one that it could not make it keeps the callback.
            await subscriber.UnsubscribeAsync(listener._channel, listener.OnMessage, CommandFlags.FireAndForget).ConfigureAwait(false);
            await subscriber.SubscribeAsync(listener._channel, listener.OnMessage).ConfigureAwait(false);
            return true;
        }, CancellationToken.None).ConfigureAwait(false);
        lock (_lock)
            Follow();
    }

    /// <summary>Asks itself until it hears.</summary>
    private async Task ListenAsync()
    {
        await Task.Yield();
        var stop = _disposed.Token;
        while (true)
        {
            var asked = false;
            try
            {
                await SubscribedAsync().WaitAsync(stop).ConfigureAwait(false);
                await store.RunAsync("watch", this, static (listener, attempt) => attempt.Database.PublishAsync(listener._channel, listener._probe), stop).ConfigureAwait(false);
                asked = true;
            }
            catch (SessionStoreException)
            {
                // As long as there is no server, every request says so.
            }

            TimeSpan again;
            lock (_lock)
                (again, _again) = (_again, _again * 2 < Latest ? _again * 2 : Latest);
            await Task.Delay(again, time, stop).ConfigureAwait(false);
            lock (_lock)
            {
                if (Arrive)
                {
                    (_listening, _again) = (null, Soonest);
                    return;
                }

                if (asked)
                    _subscribed = null;
            }
        }
    }

    private void OnMessage(RedisChannel _, RedisValue value)
    {
        ReadOnlyMemory<byte> message = value;
        if (message.Span.SequenceEqual(_probe))
            Volatile.Write(ref _arrive, true);
        else
            received(message);
    }

    // Lost or made again: either way there was a time in which messages went nowhere.
    private void OnConnectionChanged()
    {
        lock (_lock)
        {
            Volatile.Write(ref _arrive, false);
            _again = Soonest;
            if (!_isDisposed)
                _listening ??= ListenAsync().Observed();
        }

        missed?.Invoke();
    }
}
