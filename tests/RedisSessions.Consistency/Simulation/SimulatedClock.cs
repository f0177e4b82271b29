namespace RedisSessions.Consistency.Simulation;

/// <summary>
/// The clock of one process: the scheduler's time and an offset. Its timers are events like all others, so two of them never fire in one
/// step,
/// and none fires when the process has died.
/// </summary>
internal sealed class SimulatedClock(Scheduler scheduler, long offsetMilliseconds) : TimeProvider
{
    // The engine's back-off is a random part of 32 ms, from a generator that nobody can seed. Rounded up, it is the same each time.
    private const long ShortestTimer = 33_000;

    public static DateTimeOffset Beginning { get; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public long OffsetMilliseconds => offsetMilliseconds;

    /// <summary>The process has died: no timer fires any more.</summary>
    public bool IsStopped { get; set; }

    public override long TimestampFrequency => 1_000_000;

    public override DateTimeOffset GetUtcNow() =>
        Beginning.AddTicks(scheduler.Now * TimeSpan.TicksPerMicrosecond + offsetMilliseconds * TimeSpan.TicksPerMillisecond);

    public override long GetTimestamp() => scheduler.Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimulatedTimer(this, scheduler, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class SimulatedTimer(SimulatedClock clock, Scheduler scheduler, TimerCallback callback, object? state) : ITimer
    {
        private int _setting;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var setting = ++_setting;
            if (dueTime != Timeout.InfiniteTimeSpan)
                scheduler.After(Microseconds(dueTime), () => Fire(setting, period));
            return true;
        }

        public void Dispose() => _setting++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire(int setting, TimeSpan period)
        {
            if (setting != _setting || clock.IsStopped)
                return;
            if (period > TimeSpan.Zero)
                scheduler.After(Microseconds(period), () => Fire(setting, period));
            callback(state);
        }

        private static long Microseconds(TimeSpan span) =>
            span == TimeSpan.Zero ? 0 : Math.Max((long)Math.Ceiling(span.TotalMicroseconds), ShortestTimer);
    }
}
