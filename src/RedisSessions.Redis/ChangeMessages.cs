using System.Buffers.Binary;
using System.Text;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// What is committed or deleted is told on one channel, <c>{prefix}changed</c>: the session's key and its version. The commit's own script sends the message, so it is on its way
/// before the answer is, and no crash comes in between. That messages arrive is known by one of our own that did: after each reconnect, only then.
/// </summary>
internal sealed class ChangeMessages : IDisposable
{
    private const int KeyLength = 43, Length = KeyLength + RecordFormat.VersionLength;
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(250);

    private readonly RedisStore _store;
    private readonly RedisConnection _connection;
    private readonly TimeProvider _time;
    private readonly RedisChannel _channel;
    private readonly byte[] _probe = Encoding.ASCII.GetBytes("probe:" + Guid.NewGuid().ToString("N"));
    private readonly CancellationTokenSource _disposed = new();
    private readonly Lock _lock = new();
    private Watcher[] _watchers = [];
    private Task? _listening;
    private bool _arrive, _subscribed, _isDisposed;

    public ChangeMessages(RedisStore store, RedisConnection connection, TimeProvider time)
    {
        (_store, _connection, _time) = (store, connection, time);
        Channel = store.Name("changed");
        _channel = RedisChannel.Literal(Channel);
    }

    public string Channel { get; }

    /// <summary>Whether somebody here watches: then this process also sends.</summary>
    public bool AreSent => _watchers.Length > 0;

    public bool Arrive => Volatile.Read(ref _arrive);

    private static byte[] Message(SessionKey key, SessionVersion version)
    {
        var message = new byte[Length];
        Encoding.ASCII.GetBytes(key.Value, message);
        RecordFormat.WriteVersion(version, message.AsSpan(KeyLength));
        return message;
    }

    /// <summary>What a commit's script is to say, and where.</summary>
    public (RedisValue Channel, RedisValue Message)? Told(SessionKey key, SessionVersion version) => (Channel, Message(key, version));

    public Task SendAsync(IDatabase database, SessionKey key, SessionVersion version) =>
        AreSent ? database.PublishAsync(_channel, Message(key, version), CommandFlags.FireAndForget) : Task.CompletedTask;

    public IDisposable Watch(Action<SessionKey, SessionVersion> changed, Action missed)
    {
        var watcher = new Watcher(this, changed, missed);
        lock (_lock)
        {
            if (_watchers.Length == 0)
                _connection.Changed += OnConnectionChanged;
            _watchers = [.. _watchers, watcher];
            _listening ??= ListenAsync().Observed();
        }

        return watcher;
    }

    public void Dispose()
    {
        // The container knows the handler under two names, and ends it under both.
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        _connection.Changed -= OnConnectionChanged;
        _disposed.Cancel();
        _disposed.Dispose();
    }

    /// <summary>Listens, and asks itself until it hears.</summary>
    private async Task ListenAsync()
    {
        await Task.Yield();
        var stop = _disposed.Token;
        while (true)
        {
            try
            {
                // Once: the client listens again by itself after each reconnect.
                _subscribed = _subscribed || await _store.RunAsync("watch", this, static (messages, attempt) => messages.SubscribeAsync(attempt), stop).ConfigureAwait(false);
                await _store.RunAsync("watch", this, static (messages, attempt) => attempt.Database.PublishAsync(messages._channel, messages._probe), stop).ConfigureAwait(false);
            }
            catch (SessionStoreException)
            {
                // As long as there is no server, every request says so; nothing is kept meanwhile.
            }

            await Task.Delay(Again, _time, stop).ConfigureAwait(false);
            lock (_lock)
            {
                if (Arrive)
                {
                    _listening = null;
                    return;
                }
            }
        }
    }

    private async Task<bool> SubscribeAsync(RedisTry attempt)
    {
        var subscriber = attempt.Database.Multiplexer.GetSubscriber();
        try
        {
            await subscriber.SubscribeAsync(_channel, OnMessage).ConfigureAwait(false);
            return true;
        }
        catch
        {
            // As for leases: or the next try would be called twice for each message.
            await subscriber.UnsubscribeAsync(_channel, OnMessage, CommandFlags.FireAndForget).ConfigureAwait(false);
            throw;
        }
    }

    private void OnMessage(RedisChannel channel, RedisValue value)
    {
        ReadOnlySpan<byte> message = ((ReadOnlyMemory<byte>)value).Span;
        if (message.SequenceEqual(_probe))
        {
            Volatile.Write(ref _arrive, true);
            return;
        }

        // Whatever else anybody sends there is not ours.
        if (message.Length != Length || !SessionKey.TryParse(Encoding.ASCII.GetString(message[..KeyLength]), out var key))
            return;
        var version = new SessionVersion(BinaryPrimitives.ReadUInt64BigEndian(message[KeyLength..]));
        foreach (var watcher in _watchers)
            watcher.Changed(key, version);
    }

    // Lost or made again: either way there was a time in which messages went nowhere.
    private void OnConnectionChanged()
    {
        lock (_lock)
        {
            Volatile.Write(ref _arrive, false);
            _listening ??= ListenAsync().Observed();
        }

        foreach (var watcher in _watchers)
            watcher.Missed();
    }

    private void Remove(Watcher watcher)
    {
        lock (_lock)
            _watchers = [.. _watchers.Where(other => other != watcher)];
    }

    private sealed class Watcher(ChangeMessages messages, Action<SessionKey, SessionVersion> changed, Action missed) : IDisposable
    {
        public Action<SessionKey, SessionVersion> Changed => changed;

        public Action Missed => missed;

        public void Dispose() => messages.Remove(this);
    }
}
