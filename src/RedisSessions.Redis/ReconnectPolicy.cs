using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>100 ms, doubling to 1 s, each wait spread over half of itself: fast after a blip, and no herd after an outage.</summary>
internal sealed class ReconnectPolicy : IReconnectRetryPolicy
{
    public static ReconnectPolicy Instance { get; } = new();

    public bool ShouldRetry(long currentRetryCount, int timeElapsedMillisecondsSinceLastRetry)
    {
        var wait = Math.Min(100 << (int)Math.Min(currentRetryCount, 4), 1000);
        return timeElapsedMillisecondsSinceLastRetry >= wait / 2 + Random.Shared.Next(wait / 2);
    }
}
