namespace RedisSessions.Values;

/// <summary>
/// The entries of a map that came with an index: their keys are well-formed, and their values were not looked at. Each is checked when it is touched for the first
/// time. Those who look at the same map at once may check an entry twice, with the same result.
/// </summary>
/// <param name="places">What the index says.</param>
/// <param name="damaged">What is thrown for an entry that is no well-formed value.</param>
internal sealed class UncheckedEntries(Places places, Func<FormatException, Exception>? damaged)
{
    private readonly bool[] _isChecked = new bool[places.Count];

    public Func<FormatException, Exception>? Damaged => damaged;

    /// <summary>An entry is touched.</summary>
    public void Check(ReadOnlySpan<byte> map, Packed.Entry entry)
    {
        if (_isChecked[entry.Number])
            return;
        try
        {
            Packed.ValidateInMap(map[entry.Value..entry.End]);
        }
        catch (FormatException e) when (damaged is not null)
        {
            throw damaged(e);
        }

        _isChecked[entry.Number] = true;
    }

    /// <summary>All entries are touched.</summary>
    public void CheckAll(ReadOnlySpan<byte> map)
    {
        for (var i = 0; i < _isChecked.Length; i++)
        {
            var start = places.Start(i);
            Check(map, new Packed.Entry(i, start, start + Packed.Skip(map[start..]), places.End(i)));
        }
    }
}
