using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace RedisSessions.TestServers;

/// <summary>Listens to every meter and activity source of one name, and shows a search all that they say.</summary>
public sealed class TelemetryWatch : IDisposable
{
    // More values than this, and a tag names individuals instead of kinds.
    private const int MostValues = 40;

    private readonly SecretSearch _search;
    private readonly MeterListener _meters;
    private readonly ActivityListener _activities;
    private readonly ConcurrentDictionary<(string Origin, string? Value), byte> _known = [];
    private readonly ConcurrentDictionary<string, int> _values = [];
    private long _measurements, _spans;

    public TelemetryWatch(SecretSearch search, string name)
    {
        _search = search;
        _meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name != name)
                    return;
                Look($"the name of {instrument.Name}", instrument.Name);
                listener.EnableMeasurementEvents(instrument);
            },
        };
        _meters.SetMeasurementEventCallback<double>(Look);
        _meters.SetMeasurementEventCallback<float>(Look);
        _meters.SetMeasurementEventCallback<long>(Look);
        _meters.SetMeasurementEventCallback<int>(Look);
        _meters.SetMeasurementEventCallback<short>(Look);
        _meters.SetMeasurementEventCallback<byte>(Look);
        _meters.SetMeasurementEventCallback<decimal>(Look);
        _meters.Start();
        _activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == name,
            Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Look,
        };
        ActivitySource.AddActivityListener(_activities);
    }

    public long Measurements => Interlocked.Read(ref _measurements);

    public long Spans => Interlocked.Read(ref _spans);

    public void Dispose()
    {
        _meters.Dispose();
        _activities.Dispose();
    }

    private void Look<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        Interlocked.Increment(ref _measurements);
        foreach (var (tag, text) in tags)
            LookAtTag(instrument.Name, tag, text);
    }

    private void Look(Activity span)
    {
        Interlocked.Increment(ref _spans);
        var origin = $"the span {span.OperationName}";
        Look(origin, span.OperationName);
        Look(origin, span.DisplayName);
        Look($"{origin}, its status", span.StatusDescription);
        foreach (var (tag, value) in span.TagObjects)
            LookAtTag(origin, tag, value);
        foreach (var (name, value) in span.Baggage)
            LookAtTag($"{origin}, its baggage", name, value);
        foreach (var note in span.Events)
        {
            Look($"{origin}, an event", note.Name);
            foreach (var (tag, value) in note.Tags)
                LookAtTag($"{origin}, the event {note.Name}", tag, value);
        }
    }

    private void LookAtTag(string origin, string tag, object? value)
    {
        Look($"{origin}, a tag", tag);
        var of = $"{origin}, the tag {tag}";
        // The first time only: there are few, which is also looked at.
        if (Look(of, value?.ToString()) && _values.AddOrUpdate(of, 1, static (_, count) => count + 1) > MostValues)
            _search.SeenWhereNoneMayBe($"{of}, which has more than {MostValues} values", new string('x', 64));
    }

    private bool Look(string origin, string? text)
    {
        if (!_known.TryAdd((origin, text), 0))
            return false;
        _search.SeenWhereNoneMayBe(origin, text);
        return true;
    }
}
