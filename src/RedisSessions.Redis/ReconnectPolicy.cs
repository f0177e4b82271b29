using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// 100 ms, doubling to 1 s, each wait spread over half of itself: fast after a blip, and no herd after an outage. The client asks the same while an attempt has no
/// socket yet, and ends it if the answer is yes: so, from the fifth on, every third one is left as long as the settings give it. A name server that has lost a question is asked
/// again after seconds, and questions for one name wait for each other: attempts that are all cut short would keep the next ones waiting.
/// </summary>
/// <param name="connectTimeout">How long an attempt may take, in milliseconds; what is above five seconds is not waited for.</param>
internal sealed class ReconnectPolicy(int connectTimeout) : IReconnectRetryPolicy
{
    private const int Longest = 1000, Patience = 5000, Short = 4, Every = 3;

    public bool ShouldRetry(long currentRetryCount, int timeElapsedMillisecondsSinceLastRetry)
    {
        if (currentRetryCount >= Short && (currentRetryCount - Short) % Every == 0)
            return timeElapsedMillisecondsSinceLastRetry >= Math.Clamp(connectTimeout, Longest, Patience);
        var wait = Math.Min(100 << (int)Math.Min(currentRetryCount, Short), Longest);
        return timeElapsedMillisecondsSinceLastRetry >= wait / 2 + Random.Shared.Next(wait / 2);
    }
}
