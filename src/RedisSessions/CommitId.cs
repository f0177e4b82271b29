using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace RedisSessions;

/// <summary>
/// Names one commit through all its tries. A record carries the ids of its last commits, so a commit whose answer was lost finds
/// itself there instead of being applied twice.
/// </summary>
/// <param name="Value">64 random bits.</param>
public readonly record struct CommitId(ulong Value)
{
    // The generator is asked for many at once, which takes as long as for one. An id has to be unlike all others; it is no secret.
    private const int AtOnce = 32;

    [ThreadStatic]
    private static ulong[]? t_next;

    [ThreadStatic]
    private static int t_left;

    /// <summary>A new id from the system's random number generator.</summary>
    public static CommitId New()
    {
        var next = t_next ??= new ulong[AtOnce];
        if (t_left == 0)
        {
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(next.AsSpan()));
            t_left = AtOnce;
        }

        return new CommitId(next[--t_left]);
    }
}
