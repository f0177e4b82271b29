namespace PhpBridge.Bridge;

/// <summary>Where PHP keeps its sessions; .NET reads and writes them there.</summary>
internal enum BridgeStore
{
    /// <summary>In Redis, by php-redis (phpredis), with its locking on.</summary>
    Redis,

    /// <summary>In files, by PHP's own handler.</summary>
    Files,
}
