using System.Globalization;

namespace RedisSessions;

/// <summary>
/// Names one state of a record: how many commits made it, and a tag that tells it from a state of the same count that other commits made. A commit names
/// the version it started from; the store compares all eight bytes. A store that was rolled back (a failover, a restore) counts again, but the tags differ, so a
/// stale commit does not look fresh. See ADR 27.
/// </summary>
public readonly record struct SessionVersion
{
    private const int TagBits = 24;
    private const ulong TagMask = (1UL << TagBits) - 1;

    // 2^64 divided by the golden ratio: its multiples are spread over the highest bits.
    private const ulong Spread = 0x9E37_79B9_7F4A_7C15;

    /// <summary>The highest <see cref="Count"/>: 2^40 - 1.</summary>
    public const ulong MaxCount = (1UL << (64 - TagBits)) - 1;

    /// <summary>The highest <see cref="Tag"/>: 2^24 - 1.</summary>
    public const uint MaxTag = (uint)TagMask;

    /// <summary>A version from its parts.</summary>
    /// <param name="count">How many commits, 0 to <see cref="MaxCount"/>.</param>
    /// <param name="tag">0 to <see cref="MaxTag"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A part is too large.</exception>
    public SessionVersion(ulong count, uint tag = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tag, MaxTag);
        Value = (count << TagBits) | tag;
    }

    /// <summary>A version from the eight bytes that a store has.</summary>
    /// <param name="value">What <see cref="Value"/> was. Stores of PHP's records have a digest here, whose parts mean nothing.</param>
    public static SessionVersion FromValue(ulong value) => new() { Value = value };

    /// <summary>No record: a commit that expects this creates, and never overwrites.</summary>
    public static SessionVersion None => default;

    /// <summary>Both parts in one number: 40 bits of <see cref="Count"/>, then 24 bits of <see cref="Tag"/>. 0 means that there is no record.</summary>
    public ulong Value { get; private init; }

    /// <summary>How many commits made this state, from 1. Higher is newer, unless the store was rolled back in between: the store's answer wins.</summary>
    public ulong Count => Value >> TagBits;

    /// <summary>Tells this state from others of the same count.</summary>
    public uint Tag => (uint)(Value & TagMask);

    /// <summary>The version that a commit makes of this one: one more, with a tag of 24 bits of the commit's id and of this version.</summary>
    /// <param name="commit">The commit. Every attempt on the same version makes the same version.</param>
    /// <remarks>
    /// The id alone is not enough: a commit that was stored, was lost with a failover and is sent again on top of another version makes another state.
    /// </remarks>
    public SessionVersion Next(CommitId commit)
    {
        // Only digests of PHP's records get near the end of the count, and a digest takes the place of what is made here.
        var count = Math.Max((Count + 1) & MaxCount, 1);
        return new(count, (uint)((commit.Value & TagMask) ^ ((Value * Spread) >> (64 - TagBits))));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Count}.{Tag:x6}");
}
