namespace RedisSessions.Redis.Tests.Linearizability;

/// <summary>What a worker did to the register of one session, and when: both times from one monotonic clock.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="Value">What a read or an increment returned, or what was set.</param>
/// <param name="Invoked">Before it began.</param>
/// <param name="Returned">After it had ended.</param>
internal sealed record Operation(OperationKind Kind, long Value, long Invoked, long Returned)
{
    /// <summary>The register after this operation, if it can come next when the register holds <paramref name="state"/>; else null.</summary>
    public long? Apply(long state) => Kind switch
    {
        OperationKind.Read => Value == state ? state : null,
        OperationKind.Set => Value,
        _ => Value == state + 1 ? Value : null,
    };

    public override string ToString() => $"[{Invoked}..{Returned}] {Kind} {Value}";
}

internal enum OperationKind
{
    Read,
    Set,
    Increment,
}
