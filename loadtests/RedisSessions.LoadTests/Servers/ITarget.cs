using RedisSessions.LoadTests.Http;

namespace RedisSessions.LoadTests.Servers;

/// <summary>What a scenario drives, and what it may do to it.</summary>
internal interface ITarget : IAsyncDisposable
{
    /// <summary>The site, as visitors see it.</summary>
    Site Site { get; }

    /// <summary>What its Redis counts; null when the target is not ours to look into.</summary>
    RedisCounters? Redis { get; }

    /// <summary>SIGKILL to one instance, which does not come back.</summary>
    /// <exception cref="UsageException">The target is not ours to kill.</exception>
    Task KillInstanceAsync();

    /// <summary>SIGKILL to the primary of its Redis; the sentinels name another.</summary>
    /// <exception cref="UsageException">The target has no primary of ours.</exception>
    Task KillPrimaryAsync();
}
