using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>What the middleware adds to the meter <c>RedisSessions</c>: requests, where the engine counts sessions.</summary>
internal sealed class RequestMetrics
{
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _anonymous, _ambiguous;
    private readonly KeyValuePair<string, object?> _handler;

    public RequestMetrics(IMeterFactory meters, IOptions<RedisSessionsOptions> options)
    {
        var meter = meters.Create("RedisSessions");
        _handler = new("handler", options.Value.Handler);
        _active = meter.CreateUpDownCounter<long>("redissessions.requests.active", "{request}", "Requests with a session that are being answered.");
        _anonymous = meter.CreateCounter<long>("redissessions.requests.anonymous", "{request}", "Requests served with an empty session because the store failed.");
        _ambiguous = meter.CreateCounter<long>("redissessions.requests.ambiguous", "{request}", "Requests with several session cookies, none of which was trusted.");
    }

    /// <summary>A request is being answered until what this gives is disposed.</summary>
    public Active Begin()
    {
        _active.Add(1, _handler);
        return new Active(this);
    }

    public void Anonymous() => _anonymous.Add(1, _handler);

    public void Ambiguous() => _ambiguous.Add(1, _handler);

    internal readonly struct Active(RequestMetrics metrics) : IDisposable
    {
        public void Dispose() => metrics._active.Add(-1, metrics._handler);
    }
}
