using System.Globalization;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>Failures around the moment at which something was killed: when they may be, and when they were.</summary>
internal sealed class Outage(TimeProvider time, TimeSpan window)
{
    private long _began, _lastFailure;
    private int _inside, _outside;

    public void Begin() => Volatile.Write(ref _began, time.GetTimestamp());

    public void Note(StepOutcome outcome)
    {
        if (outcome.IsOk)
            return;
        var (now, began) = (time.GetTimestamp(), Volatile.Read(ref _began));
        if (began == 0 || time.GetElapsedTime(began, now) > window)
        {
            Interlocked.Increment(ref _outside);
            return;
        }

        Interlocked.Increment(ref _inside);
        Volatile.Write(ref _lastFailure, now);
    }

    /// <param name="what">Was killed.</param>
    public Promise Verify(string what) => new(
        string.Create(CultureInfo.InvariantCulture, $"failures only within {window.TotalSeconds:F0} s of when {what} is killed"),
        string.Create(CultureInfo.InvariantCulture, $"{_inside} failed in it, the last after {(_lastFailure == 0 ? 0 : time.GetElapsedTime(_began, _lastFailure).TotalSeconds):F2} s; {_outside} outside of it"),
        _began != 0 && _outside == 0);
}
