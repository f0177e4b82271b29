using Microsoft.Extensions.Logging;
using RedisSessions.Diagnostics;

namespace RedisSessions.Locking;

/// <summary>
/// Exclusive access to one session, while it lasts: renewed at a third of its time, given back when disposed. Liveness only. What keeps a request whose lease
/// ended too early from doing harm is the version.
/// </summary>
internal sealed class ExclusiveLease : IAsyncDisposable
{
    private readonly ISessionLeases _store;
    private readonly SessionKey _key;
    private readonly SessionLease _lease;
    private readonly CommitQueue.Turn _turn;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _lost = new();
    private readonly ITimer _renewal;
    private long _renewedAt;
    private int _renewing;

    public ExclusiveLease(
        ISessionLeases store, SessionKey key, SessionLease lease, long takenAt, CommitQueue.Turn turn, TimeProvider time, ILogger logger)
    {
        (_store, _key, _lease, _renewedAt, _turn, _time, _logger) = (store, key, lease, takenAt, turn, time, logger);
        var third = lease.Duration / 3;
        _renewal = time.CreateTimer(static lease => _ = ((ExclusiveLease)lease!).RenewAsync(), this, third, third);
    }

    /// <summary>Cancelled when the lease has ended before the request.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Whether somebody else may have it: also when this process was paused, and nobody has had the time to notice.</summary>
    public bool IsLost => _lost.IsCancellationRequested || _time.GetElapsedTime(Volatile.Read(ref _renewedAt)) >= _lease.Duration;

    public async ValueTask DisposeAsync()
    {
        await _renewal.DisposeAsync().ConfigureAwait(false);
        try
        {
            if (!_lost.IsCancellationRequested)
                await ReleaseAsync(_store, _key, _lease, _logger).ConfigureAwait(false);
        }
        finally
        {
            _turn.Dispose();
        }
    }

    /// <summary>Gives a lease back; a failure is nobody's problem, because it ends by itself.</summary>
    public static async ValueTask ReleaseAsync(ISessionLeases store, SessionKey key, SessionLease lease, ILogger logger)
    {
        try
        {
            await store.ReleaseAsync(key, lease, CancellationToken.None).ConfigureAwait(false);
        }
        catch (SessionStoreException e)
        {
            Log.LeaseNotReleased(logger, e);
        }
    }

    private async Task RenewAsync()
    {
        // A slow store must not get one renewal on top of the other.
        if (Interlocked.Exchange(ref _renewing, 1) == 1)
            return;
        try
        {
            var asked = _time.GetTimestamp();
            if (await _store.RenewAsync(_key, _lease, CancellationToken.None).ConfigureAwait(false))
                Volatile.Write(ref _renewedAt, asked);
            else
                await LoseAsync().ConfigureAwait(false);
        }
        catch (SessionStoreException e)
        {
            Log.LeaseNotRenewed(_logger, e);
            if (IsLost)
                await LoseAsync().ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _renewing, 0);
        }
    }

    private async Task LoseAsync()
    {
        await _renewal.DisposeAsync().ConfigureAwait(false);
        Log.LeaseLost(_logger);
        await _lost.CancelAsync().ConfigureAwait(false);
    }
}
