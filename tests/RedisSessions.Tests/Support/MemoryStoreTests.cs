using Microsoft.Extensions.Time.Testing;
using RedisSessions.Conformance;

namespace RedisSessions.Tests.Support;

/// <summary>The whole contract, on the store in memory that the tests of the engine rest on; and the suite itself, on a clock that stands still.</summary>
public sealed class MemoryStoreTests(MemoryFixture fixture) : SessionHandlerTests(fixture), IClassFixture<MemoryFixture>;

public sealed class MemoryFixture : HandlerFixture
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly MemorySessionHandler _store;

    public MemoryFixture() => _store = new MemorySessionHandler(_time);

    public override string HandlerName => "memory";

    public override TimeProvider Time => _time;

    public override ValueTask ElapseAsync(TimeSpan time)
    {
        _time.Advance(time);
        return ValueTask.CompletedTask;
    }

    public override ValueTask<ISessionHandler> CreateHandlerAsync() => new(new Instance(_store));

    public override ValueTask PlantAsync(SessionKey key, byte[] bytes)
    {
        _store.Plant(key, bytes);
        return ValueTask.CompletedTask;
    }

    public override ValueTask<byte[]?> BytesAsync(SessionKey key) => new(_store.Bytes(key));

    /// <summary>Another one over the same store.</summary>
    private sealed class Instance(MemorySessionHandler store) : ISessionHandler, ISessionLeases, ISessionIndex
    {
        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
            store.ReadAsync(key, idleTimeout, cancellationToken);

        public ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
            store.CommitAsync(key, expected, record, idleTimeout, cancellationToken);

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => store.DeleteAsync(key, cancellationToken);

        public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
            store.TryAcquireAsync(key, lease, cancellationToken);

        public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => store.RenewAsync(key, lease, cancellationToken);

        public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => store.ReleaseAsync(key, lease, cancellationToken);

        public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken) =>
            store.WatchAsync(key, released, cancellationToken);

        public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken) => store.FindAsync(userId, cancellationToken);
    }
}
