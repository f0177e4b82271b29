using System.Diagnostics.Metrics;

namespace RedisSessions.Tests.Support;

/// <summary>An application's meters, and everything that was measured with them: "name{tag=value, ...}" and the number. Nobody else's.</summary>
internal sealed class Meters : IMeterFactory
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Meter> _meters = [];
    private readonly List<(string Series, double Value)> _measured = [];
    private readonly List<Instrument> _instruments = [];
    private readonly MeterListener? _listener;

    /// <param name="listens">Whether anybody listens.</param>
    public Meters(bool listens = true)
    {
        if (!listens)
            return;
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope != this)
                    return;
                lock (_lock)
                    _instruments.Add(instrument);
                listener.EnableMeasurementEvents(instrument);
            },
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.Start();
    }

    public IReadOnlyList<Instrument> Instruments
    {
        get
        {
            lock (_lock)
                return [.. _instruments];
        }
    }

    /// <summary>All that was measured, in order.</summary>
    public IReadOnlyList<(string Series, double Value)> All
    {
        get
        {
            lock (_lock)
                return [.. _measured];
        }
    }

    /// <summary>What was measured in one series, in order; the handler's tag, which all have, is left out.</summary>
    public double[] this[string series] => [.. All.Where(one => one.Series == series).Select(one => one.Value)];

    /// <summary>The series of one instrument, each once.</summary>
    public string[] Of(string instrument) =>
        [.. All.Select(one => one.Series).Where(series => series.Split('{')[0] == instrument).Distinct().Order(StringComparer.Ordinal)];

    public Meter Create(MeterOptions options)
    {
        lock (_lock)
        {
            if (_meters.TryGetValue(options.Name, out var known))
                return known;
        }

        // Outside: whoever listens is called, and looks.
        var meter = new Meter(new MeterOptions(options.Name) { Scope = this });
        lock (_lock)
            _meters.Add(options.Name, meter);
        return meter;
    }

    public void Dispose()
    {
        _listener?.Dispose();
        foreach (var meter in _meters.Values)
            meter.Dispose();
    }

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        List<string> others = [];
        foreach (var (name, text) in tags)
        {
            if (name != "handler")
                others.Add($"{name}={text}");
        }

        lock (_lock)
            _measured.Add(($"{instrument.Name}{{{string.Join(", ", others)}}}", value));
    }
}
