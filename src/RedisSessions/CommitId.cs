using System.Buffers.Binary;
using System.Security.Cryptography;

namespace RedisSessions;

/// <summary>
/// Names one commit through all its tries. A record carries the ids of its last commits, so a commit whose answer was lost finds
/// itself there instead of being applied twice.
/// </summary>
/// <param name="Value">64 random bits.</param>
public readonly record struct CommitId(ulong Value)
{
    /// <summary>A new id from the system's random number generator.</summary>
    public static CommitId New()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return new CommitId(BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }
}
