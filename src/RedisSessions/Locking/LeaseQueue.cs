using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using RedisSessions.Diagnostics;

namespace RedisSessions.Locking;

/// <summary>
/// The way to exclusive access: first a line within this process, first come first served, in which a lease is passed on for a while; its head asks the store for
/// the lease otherwise, and is woken by a message when another process gives it back. Where no messages come, and in case one gets lost, it asks again now and then.
/// </summary>
internal sealed class LeaseQueue(ISessionLeases store, RedisSessionsOptions options, TimeProvider time, ILogger logger)
{
    // Between two looks: with messages, a safety net; without, the price of waiting. A lease that is about to end is looked at when it has.
    private static readonly TimeSpan LongestWatch = TimeSpan.FromSeconds(1), LongestPoll = TimeSpan.FromMilliseconds(20), Margin = TimeSpan.FromMilliseconds(5);

    private readonly CommitQueue _line = new();

    /// <summary>Waits for exclusive access to a session.</summary>
    /// <exception cref="SessionBusyException">It did not come in time, or too many are waiting for it already.</exception>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    public async ValueTask<ExclusiveLease> EnterAsync(SessionKey key, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var turn = await _line.EnterAsync(key, options.LeaseWait, options.MaxWaiters, first: false, time, cancellationToken).ConfigureAwait(false)
            ?? throw (time.GetElapsedTime(started) < options.LeaseWait ? TooMany() : TooLong());
        if (turn.TakePassed() is ExclusiveLease.Passed passed)
        {
            if (time.GetElapsedTime(passed.RenewedAt) < options.LeaseDuration)
                return new ExclusiveLease(passed.Hold, passed.RenewedAt, turn, time, logger);
            await passed.DisposeAsync().ConfigureAwait(false);
        }

        var lease = new SessionLease(RandomNumberGenerator.GetHexString(32, lowercase: true), options.LeaseDuration);
        var hold = new ExclusiveLease.Hold(store, key, lease, time.GetTimestamp(), logger);
        try
        {
            var taken = await AcquireAsync(key, lease, started, cancellationToken).ConfigureAwait(false);
            return new ExclusiveLease(hold with { TakenAt = taken }, taken, turn, time, logger);
        }
        catch (Exception e)
        {
            // It may have been taken in the very moment that was given up in, and nobody would give it back.
            if (e is OperationCanceledException or SessionStoreException)
                await hold.DisposeAsync().ConfigureAwait(false);
            turn.Dispose();
            throw;
        }
    }

    /// <returns>When the lease began, at the latest.</returns>
    private async ValueTask<long> AcquireAsync(SessionKey key, SessionLease lease, long started, CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        if (await store.TryAcquireAsync(key, lease, cancellationToken).ConfigureAwait(false) is null)
            return asked;

        // Watching before asking again: what is given back in between is noticed by one or the other.
        var bell = new Bell();
        using var watch = await store.WatchAsync(key, bell.Ring, cancellationToken).ConfigureAwait(false);
        for (var look = 0; ; look++)
        {
            var rings = bell.Next;
            asked = time.GetTimestamp();
            if (await store.TryAcquireAsync(key, lease, cancellationToken).ConfigureAwait(false) is not { } left)
                return asked;
            var remaining = options.LeaseWait - time.GetElapsedTime(started);
            if (remaining <= TimeSpan.Zero)
                throw TooLong();
            var pause = watch is null ? Least(TimeSpan.FromMilliseconds(1 + Random.Shared.Next(2 << Math.Min(look, 4))), LongestPoll) : LongestWatch;
            await rings.WaitAsync(Least(Least(pause, left + Margin), remaining), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private SessionBusyException TooMany() => Busy(string.Create(CultureInfo.InvariantCulture,
        $"{options.MaxWaiters} other requests are waiting for exclusive access to this session already (Sessions:MaxWaiters)."));

    private SessionBusyException TooLong() => Busy(string.Create(CultureInfo.InvariantCulture,
        $"Other requests have kept exclusive access to this session for {options.LeaseWait.TotalSeconds} s (Sessions:LeaseWait)."));

    private SessionBusyException Busy(string reason)
    {
        Log.Busy(logger, reason);
        return new SessionBusyException(reason);
    }

    /// <summary>Rings whoever took <see cref="Next"/> before the ring.</summary>
    private sealed class Bell
    {
        private TaskCompletionSource _next = New();

        public Task Next => Volatile.Read(ref _next).Task;

        public void Ring() => Interlocked.Exchange(ref _next, New()).TrySetResult();

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
