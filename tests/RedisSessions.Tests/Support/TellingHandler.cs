namespace RedisSessions.Tests.Support;

/// <summary>What processes tell each other of changes, until it is delivered.</summary>
internal sealed class Messages
{
    private readonly List<(SessionKey Key, SessionVersion Version)> _sent = [];
    private readonly List<(Action<SessionKey, SessionVersion> Changed, Action Missed)> _watchers = [];

    public bool Arrive { get; set; } = true;

    public void Send(SessionKey key, SessionVersion version) => _sent.Add((key, version));

    public void Watch(Action<SessionKey, SessionVersion> changed, Action missed) => _watchers.Add((changed, missed));

    public void Deliver()
    {
        foreach (var (key, version) in _sent)
        {
            foreach (var (changed, _) in _watchers)
                changed(key, version);
        }

        _sent.Clear();
    }

    /// <summary>What was sent and not delivered never will be.</summary>
    public void Lose()
    {
        _sent.Clear();
        foreach (var (_, missed) in _watchers)
            missed();
    }
}

/// <summary>A process's way to a store, with messages of changes, and reads that can be held up after the store has answered.</summary>
internal sealed class TellingHandler(MemorySessionHandler store, Messages messages, bool withLeases = false) : ISessionHandler, ISessionChanges, ISessionLeases
{
    public int Reads { get; private set; }

    public TaskCompletionSource? Hold { get; set; }

    public bool Arrive => messages.Arrive;

    public IDisposable Watch(Action<SessionKey, SessionVersion> changed, Action missed)
    {
        messages.Watch(changed, missed);
        return new MemoryStream();
    }

    public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        Reads++;
        var record = await store.ReadAsync(key, idleTimeout, cancellationToken);
        if (Hold is { } hold)
            await hold.Task;
        return record;
    }

    public async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var result = await store.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
        if (result is CommitResult.Committed && expected != SessionVersion.None)
            messages.Send(key, record.Version);
        return result;
    }

    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken)
    {
        var deleted = await store.DeleteAsync(key, cancellationToken);
        messages.Send(key, SessionVersion.None);
        return deleted;
    }

    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
        withLeases ? default : throw new NotSupportedException();

    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => new(true);

    public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => default;

    public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken) => default;
}
