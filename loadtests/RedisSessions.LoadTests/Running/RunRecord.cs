using HdrHistogram;

namespace RedisSessions.LoadTests.Running;

/// <summary>What is recorded of a run while it lasts, by all workers.</summary>
internal sealed class RunRecord(TimeProvider time)
{
    public const long MostMicroseconds = 120_000_000;

    private readonly Lock _lock = new();
    private readonly List<Second> _seconds = [];
    private readonly SortedDictionary<string, long> _failures = new(StringComparer.Ordinal);
    private readonly long _started = time.GetTimestamp();

    /// <summary>Microseconds from the intended start of a step to its end.</summary>
    public LongHistogram Latency { get; } = new(1, MostMicroseconds, 3);

    /// <summary>Microseconds from the intended start of a step to its start: what the generator was late itself.</summary>
    public LongHistogram Lateness { get; } = new(1, MostMicroseconds, 3);

    public long Steps { get; private set; }

    /// <summary>How many steps failed of what.</summary>
    public IReadOnlyDictionary<string, long> Failures => _failures;

    public TimeSpan Elapsed { get; private set; }

    /// <summary>What ended in each second.</summary>
    public IReadOnlyList<Second> Seconds => _seconds;

    /// <summary>A step has ended.</summary>
    /// <param name="failure">What went wrong, or null.</param>
    /// <param name="intended">When it should have begun.</param>
    /// <param name="began">When it began.</param>
    public void Note(string? failure, long intended, long began)
    {
        var now = time.GetTimestamp();
        var latency = Microseconds(intended, now);
        lock (_lock)
        {
            Steps++;
            Elapsed = time.GetElapsedTime(_started, now);
            Latency.RecordValue(latency);
            Lateness.RecordValue(Microseconds(intended, began));
            while (_seconds.Count <= (int)Elapsed.TotalSeconds)
                _seconds.Add(new Second());
            var second = _seconds[(int)Elapsed.TotalSeconds];
            second.Steps++;
            second.Latency.RecordValue(latency);
            if (failure is null)
                return;
            second.Failed++;
            _failures[failure] = _failures.GetValueOrDefault(failure) + 1;
        }
    }

    /// <summary>How it stands, for whoever watches.</summary>
    public RunProgress Progress(TimeSpan duration)
    {
        lock (_lock)
        {
            var elapsed = time.GetElapsedTime(_started);
            var last = _seconds.Count > 1 ? _seconds[^2] : null;
            return new RunProgress(elapsed, duration, Steps, _failures.Values.Sum(), last?.Steps ?? 0, Milliseconds(50), Milliseconds(99));

            double Milliseconds(double percentile) => Steps == 0 ? 0 : Latency.GetValueAtPercentile(percentile) / 1000.0;
        }
    }

    private long Microseconds(long from, long to) => Math.Clamp((long)time.GetElapsedTime(from, to).TotalMicroseconds, 1, MostMicroseconds);

    /// <summary>One second of a run.</summary>
    internal sealed class Second
    {
        public long Steps { get; set; }

        public long Failed { get; set; }

        public LongHistogram Latency { get; } = new(1, MostMicroseconds, 2);
    }
}

/// <summary>How a run stands. Times in milliseconds.</summary>
internal sealed record RunProgress(TimeSpan Elapsed, TimeSpan Duration, long Steps, long Failed, long LastSecond, double Median, double Percentile99);
