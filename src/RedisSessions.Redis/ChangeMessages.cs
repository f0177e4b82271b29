using System.Buffers.Binary;
using System.Text;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// What is committed or deleted is told on one channel, <c>{prefix}changed</c>: the session's key and its version. The commit's own script sends the message, so it is on its way
/// before the answer is, and no crash comes in between.
/// </summary>
internal sealed class ChangeMessages : IDisposable
{
    private const int KeyLength = 43, Length = KeyLength + RecordFormat.VersionLength;
    private readonly ChannelListener _listener;
    private readonly string _name;
    private readonly RedisChannel _channel;
    private readonly Lock _lock = new();
    private Watcher[] _watchers = [];

    public ChangeMessages(RedisStore store, RedisConnection connection, TimeProvider time)
    {
        _name = store.Name("changed");
        (_channel, _listener) = (RedisChannel.Literal(_name), new ChannelListener(store, connection, time, _name, OnMessage, OnMissed));
    }

    /// <summary>Whether somebody here watches: then this process also sends.</summary>
    public bool AreSent => _watchers.Length > 0;

    public bool Arrive => _listener.Arrive;

    private static byte[] Message(SessionKey key, SessionVersion version)
    {
        var message = new byte[Length];
        Encoding.ASCII.GetBytes(key.Value, message);
        RecordFormat.WriteVersion(version, message.AsSpan(KeyLength));
        return message;
    }

    /// <summary>What a commit's script is to say, and where.</summary>
    public (RedisValue Channel, RedisValue Message)? Told(SessionKey key, SessionVersion version) => (_name, Message(key, version));

    public Task SendAsync(IDatabase database, SessionKey key, SessionVersion version) =>
        AreSent ? database.PublishAsync(_channel, Message(key, version), CommandFlags.FireAndForget) : Task.CompletedTask;

    public IDisposable Watch(Action<SessionKey, SessionVersion> changed, Action missed)
    {
        var watcher = new Watcher(this, changed, missed);
        lock (_lock)
            _watchers = [.. _watchers, watcher];
        _listener.Start();
        return watcher;
    }

    public void Dispose() => _listener.Dispose();

    private void OnMessage(ReadOnlyMemory<byte> value)
    {
        var message = value.Span;
        // Whatever else anybody sends there is not ours.
        if (message.Length != Length || !SessionKey.TryParse(Encoding.ASCII.GetString(message[..KeyLength]), out var key))
            return;
        var version = SessionVersion.FromValue(BinaryPrimitives.ReadUInt64BigEndian(message[KeyLength..]));
        foreach (var watcher in _watchers)
            watcher.Changed(key, version);
    }

    private void OnMissed()
    {
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
