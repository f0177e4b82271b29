namespace RedisSessions.Consistency.Simulation;

/// <summary>
/// Random numbers of one owner: a request, a process, the environment. Each owner has a sequence of its own, made from the seed and its
/// name,
/// so that a request that is removed while shrinking leaves the draws of all others as they were.
/// </summary>
internal sealed class Draws
{
    private ulong _state;

    public Draws(long seed, string owner)
    {
        // FNV-1a: string.GetHashCode differs from process to process.
        var hash = 14695981039346656037UL ^ (ulong)seed;
        foreach (var letter in owner)
            hash = (hash ^ letter) * 1099511628211UL;
        _state = hash;
        Next();
    }

    public bool Chance(double probability) => probability > 0 && Fraction() < probability;

    /// <summary>From 0 to <paramref name="end"/>, which is excluded.</summary>
    public int Below(int end) => (int)(Next() % (ulong)end);

    public long Between(long first, long last) => first + (long)(Next() % (ulong)(last - first + 1));

    private double Fraction() => (Next() >> 11) * (1.0 / (1UL << 53));

    // SplitMix64.
    private ulong Next()
    {
        var mixed = _state += 0x9E3779B97F4A7C15UL;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
        return mixed ^ (mixed >> 31);
    }
}
