using System.Diagnostics;

namespace RedisSessions.Consistency.Http;

/// <summary>The order of what browsers see: a counter that all of them share, and milliseconds on this machine's clock.</summary>
internal sealed class HistoryClock
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _count;

    /// <summary>The next number: of two events, the one that was over before the other began has the smaller one.</summary>
    public long Next() => Interlocked.Increment(ref _count);

    /// <summary>Milliseconds since the run began. Stores and processes are on this machine, so it is the store's clock too.</summary>
    public long Milliseconds => (long)Stopwatch.GetElapsedTime(_started).TotalMilliseconds;
}
