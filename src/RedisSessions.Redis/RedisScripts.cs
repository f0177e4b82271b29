namespace RedisSessions.Redis;

/// <summary>All scripts.</summary>
internal static class RedisScripts
{
    public static readonly RedisScript Commit = new("commit.lua");

    public static readonly RedisScript CommitPhp = new("commit-php.lua");

    public static readonly RedisScript AcquireLease = new("lease-acquire.lua");

    public static readonly RedisScript RenewLease = new("lease-renew.lua");

    public static readonly RedisScript ReleaseLease = new("lease-release.lua");

    public static readonly RedisScript Index = new("index.lua");

    public static readonly RedisScript SelfTest = new("selftest.lua");

    /// <summary>Those that sessions need while they run.</summary>
    public static IReadOnlyList<RedisScript> All { get; } = [Commit, CommitPhp, AcquireLease, RenewLease, ReleaseLease, Index];
}
