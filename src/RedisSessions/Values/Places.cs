namespace RedisSessions.Values;

/// <summary>
/// Where each entry of a map begins and where the last one ends, and of each key a print: a number that tells it from most others without a look at it. In one array, starts first: of
/// thousands of keys, one is found by comparing many prints at a time.
/// </summary>
internal readonly struct Places
{
    /// <summary>The print of what nobody looks for.</summary>
    public const int NoPrint = -1;

    private readonly int[] _all;

    /// <param name="count">How many entries; all of them are to be set, and the end.</param>
    public Places(int count) => _all = GC.AllocateUninitializedArray<int>(2 * count + 1);

    /// <summary>False of <c>default</c>: nobody has looked yet.</summary>
    public bool AreKnown => _all is not null;

    public int Count => _all.Length / 2;

    public int Start(int entry) => _all[entry];

    public int End(int entry) => _all[entry + 1];

    public void Set(int entry, int start, int print) => (_all[entry], _all[Count + 1 + entry]) = (start, print);

    public void SetEnd(int end) => _all[Count] = end;

    /// <summary>The next entry whose key has this print.</summary>
    /// <param name="print">The print.</param>
    /// <param name="from">The first entry to look at.</param>
    /// <returns>-1: there is none.</returns>
    public int Find(int print, int from)
    {
        var at = _all.AsSpan(Count + 1 + from).IndexOf(print);
        return at < 0 ? at : from + at;
    }
}
