using System.Collections.Concurrent;
using MessagePack;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.Conformance;

namespace RedisSessions.Php.Tests;

/// <summary>
/// A handler with PHP's layout as the conformance suite wants to see it. The suite names sessions by hashes, counts versions and stores any bytes; PHP's sessions have ids, digests and
/// values. So a key becomes the id of the same letters, and bytes become one value of the session, beside the version that they were stored with. And the suite says at each use how long a
/// session lives from then on, where PHP's files and tables know only when it was used: what was said last is said again.
/// </summary>
public abstract class PhpFixture : HandlerFixture
{
    private readonly List<ServiceProvider> _instances = [];
    private readonly Known _known = new();

    public override bool KeepsBytes => false;

    public override bool KeepsLeases => false;

    public override bool FindsUsers => false;

    public override ValueTask<ISessionHandler> CreateHandlerAsync()
    {
        var instance = CreateInstance();
        lock (_instances)
            _instances.Add(instance);
        var handler = instance.GetRequiredService<ISessionHandler>();
        return new(KeepsLeases ? new WithLeases(handler, (ISessionLeases)handler, _known) : new Translated(handler, _known));
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected abstract ServiceProvider CreateInstance();

    /// <summary>What the handlers of one fixture have stored.</summary>
    private sealed class Known
    {
        public ConcurrentDictionary<(SessionKey, ulong), SessionVersion> Digests { get; } = new();

        public ConcurrentDictionary<(SessionKey, SessionVersion), ulong> Versions { get; } = new();

        public ConcurrentDictionary<SessionKey, TimeSpan> Idle { get; } = new();
    }

    private class Translated(ISessionHandler handler, Known known) : ISessionHandler
    {
        public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
        {
            var record = await handler.ReadAsync(Named(key), IdleFor(key, idleTimeout), cancellationToken);
            if (record is null)
                return null;
            if (record.State == SessionState.Live)
                known.Idle[key] = idleTimeout;
            return Suites(key, record);
        }

        public async ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
        {
            var digest = expected == SessionVersion.None ? expected : known.Digests.GetValueOrDefault((key, expected.Value), expected);
            var stored = Phps(record);
            var result = await handler.CommitAsync(Named(key), digest, stored, IdleFor(key, idleTimeout), cancellationToken);
            if (result is CommitResult.Committed)
            {
                (known.Digests[(key, record.Version.Value)], known.Idle[key]) = (stored.Version, idleTimeout);
                known.Versions[(key, stored.Version)] = record.Version.Value;
            }

            return result is CommitResult.Conflict { Current: var current } ? new CommitResult.Conflict(Suites(key, current)) : result;
        }

        /// <summary>Redis counts from the commit on, and needs what is said now.</summary>
        protected virtual TimeSpan IdleFor(SessionKey key, TimeSpan idleTimeout) => known.Idle.GetValueOrDefault(key, idleTimeout);

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => handler.DeleteAsync(Named(key), cancellationToken);

        protected static SessionKey Named(SessionKey key) => SessionKey.From(Instance.Parse(key.Value.Replace('_', ',')));

        private static SessionRecord Phps(SessionRecord record) => Copy(
            record, record.Version, record.State == SessionState.Live
                ? MessagePackSerializer.Serialize(new Dictionary<string, object> { ["v"] = record.Version.Value.ToString(System.Globalization.CultureInfo.InvariantCulture), ["b"] = record.Payload.ToArray() }) : record.Payload);

        private SessionRecord Suites(SessionKey key, SessionRecord record)
        {
            if (record.State != SessionState.Live)
                return Copy(record, SessionVersion.FromValue(known.Versions[(key, record.Version)]), record.Payload);
            var values = MessagePackSerializer.Deserialize<Dictionary<string, object>>(record.Payload);
            var version = ulong.Parse((string)values["v"], null);
            known.Digests.TryAdd((key, version), record.Version);
            return Copy(record, SessionVersion.FromValue(version), values["b"] as byte[] ?? System.Text.Encoding.UTF8.GetBytes((string)values["b"]));
        }

        private static SessionRecord Copy(SessionRecord record, SessionVersion version, ReadOnlyMemory<byte> payload) => new()
        {
            Version = version,
            State = record.State,
            CreatedAt = record.CreatedAt,
            AbsoluteDeadline = record.AbsoluteDeadline,
            CommitIds = record.CommitIds,
            PayloadFormat = record.PayloadFormat,
            Payload = payload,
            UserId = record.UserId,
            IndexUser = record.IndexUser,
            IdleTimeout = record.IdleTimeout,
        };
    }

    private sealed class WithLeases(ISessionHandler handler, ISessionLeases leases, Known known) : Translated(handler, known), ISessionLeases
    {
        protected override TimeSpan IdleFor(SessionKey key, TimeSpan idleTimeout) => idleTimeout;

        public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) =>
            leases.TryAcquireAsync(Named(key), lease, cancellationToken);

        public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => leases.RenewAsync(Named(key), lease, cancellationToken);

        public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => leases.ReleaseAsync(Named(key), lease, cancellationToken);

        public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken) => leases.WatchAsync(Named(key), released, cancellationToken);
    }

    /// <summary>The system's clock, further on: timers go by the system, so that waiting for a lock is real.</summary>
    protected sealed class ShiftedTime : TimeProvider
    {
        private long _shift;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _shift));

        public void Advance(TimeSpan time) => Interlocked.Add(ref _shift, time.Ticks);
    }
}
