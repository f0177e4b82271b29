using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>What one try has to work with.</summary>
internal readonly struct RedisTry(IDatabase database, RedisMetrics metrics, bool mayBeApplied, CancellationToken cancellationToken)
{
    /// <summary>Where to send it.</summary>
    public IDatabase Database { get; } = database;

    /// <summary>What is worth counting of it.</summary>
    public RedisMetrics Metrics { get; } = metrics;

    /// <summary>Whether an earlier try may have arrived.</summary>
    public bool MayBeApplied { get; } = mayBeApplied;

    /// <summary>Ends when nobody waits for this try any more: nothing new is to be begun.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;
}
