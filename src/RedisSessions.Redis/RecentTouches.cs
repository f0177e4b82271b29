namespace RedisSessions.Redis;

/// <summary>
/// Whose deadline this process has moved a short while ago. A table of fixed size without locks: who is not found in it any more is touched once more, and nothing else happens.
/// </summary>
internal sealed class RecentTouches
{
    private const int Bits = 16;
    private const ulong Basis = 14695981039346656037, Prime = 1099511628211;

    // What a key's print is beside its place, and when it was, in milliseconds.
    private readonly ulong[] _places = new ulong[1 << Bits];
    private readonly TimeProvider _time;
    private readonly uint _interval;
    private readonly long _began;

    /// <param name="interval">How long a touch is recent.</param>
    /// <param name="time">The clock.</param>
    public RecentTouches(TimeSpan interval, TimeProvider time) => (_interval, _time, _began) = ((uint)interval.TotalMilliseconds, time, time.GetTimestamp());

    private uint Now => (uint)(long)_time.GetElapsedTime(_began).TotalMilliseconds;

    /// <summary>Whether a session was touched less than an interval ago, as far as is remembered.</summary>
    /// <param name="key">The session.</param>
    /// <param name="generation">That of the connection: what was touched over another one may not be where this one leads, after a failover.</param>
    public bool Contains(SessionKey key, int generation)
    {
        var print = Print(key, generation);
        var place = Volatile.Read(ref _places[print >> (64 - Bits)]);
        return place >> 32 == (uint)print && Now - (uint)place < _interval;
    }

    /// <summary>A session has been touched now.</summary>
    /// <param name="key">The session.</param>
    /// <param name="generation">That of the connection before it was touched.</param>
    public void Add(SessionKey key, int generation)
    {
        var print = Print(key, generation);
        Volatile.Write(ref _places[print >> (64 - Bits)], (print << 32) | Now);
    }

    // FNV-1a over as much of a hash as makes 64 bits.
    private static ulong Print(SessionKey key, int generation)
    {
        var print = (Basis ^ (uint)generation) * Prime;
        foreach (var c in key.Value.AsSpan(0, 11))
            print = (print ^ c) * Prime;
        return print;
    }
}
