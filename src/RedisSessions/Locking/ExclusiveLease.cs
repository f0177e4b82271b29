using Microsoft.Extensions.Logging;
using RedisSessions.Diagnostics;

namespace RedisSessions.Locking;

/// <summary>
/// Exclusive access to one session, while it lasts: renewed at a third of its time. When disposed it goes to the next who waits in this process, without a word to
/// the store, or back. Liveness only. What keeps a request whose lease ended too early from doing harm is the version.
/// </summary>
internal sealed class ExclusiveLease : IAsyncDisposable
{
    // Who passes a lease on saves the store a release, a message and an acquire for each turn. Other processes wait for it meanwhile, so not for long: from then on
    // everybody stands in line at the store again.
    private static readonly TimeSpan LongestInOneProcess = TimeSpan.FromSeconds(1);

    private readonly Hold _hold;
    private readonly CommitQueue.Turn _turn;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _lost = new();
    private readonly ITimer _renewal;
    private long _renewedAt;
    private int _renewing;

    /// <summary>Begins with a lease that is held, and that began to last its whole time at <paramref name="renewedAt"/> at the latest.</summary>
    public ExclusiveLease(Hold hold, long renewedAt, CommitQueue.Turn turn, TimeProvider time, ILogger logger)
    {
        (_hold, _renewedAt, _turn, _time, _logger) = (hold, renewedAt, turn, time, logger);
        var third = hold.Lease.Duration / 3;
        var due = third - time.GetElapsedTime(renewedAt);
        _renewal = time.CreateTimer(static lease => _ = ((ExclusiveLease)lease!).RenewAsync(), this, due > TimeSpan.Zero ? due : TimeSpan.Zero, third);
    }

    /// <summary>Cancelled when the lease has ended before the request.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Whether somebody else may have it: also when this process was paused, and nobody has had the time to notice.</summary>
    public bool IsLost => _lost.IsCancellationRequested || _time.GetElapsedTime(Volatile.Read(ref _renewedAt)) >= _hold.Lease.Duration;

    public async ValueTask DisposeAsync()
    {
        await _renewal.DisposeAsync().ConfigureAwait(false);
        if (!IsLost && _time.GetElapsedTime(_hold.TakenAt) < LongestInOneProcess && _turn.TryPass(new Passed(_hold, Volatile.Read(ref _renewedAt))))
            return;
        try
        {
            if (!_lost.IsCancellationRequested)
                await _hold.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _turn.Dispose();
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
            if (await _hold.RenewAsync().ConfigureAwait(false))
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

    /// <summary>A lease that this process has had at the store since <paramref name="TakenAt"/>, whichever of its requests uses it.</summary>
    internal sealed record Hold(ISessionLeases Store, SessionKey Key, SessionLease Lease, long TakenAt, ILogger Logger) : IAsyncDisposable
    {
        public ValueTask<bool> RenewAsync() => Store.RenewAsync(Key, Lease, CancellationToken.None);

        /// <summary>Gives it back; a failure is nobody's problem, because it ends by itself.</summary>
        public async ValueTask DisposeAsync()
        {
            try
            {
                await Store.ReleaseAsync(Key, Lease, CancellationToken.None).ConfigureAwait(false);
            }
            catch (SessionStoreException e)
            {
                Log.LeaseNotReleased(Logger, e);
            }
        }
    }

    /// <summary>On its way from one request to the next.</summary>
    internal sealed record Passed(Hold Hold, long RenewedAt) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Hold.DisposeAsync();
    }
}
