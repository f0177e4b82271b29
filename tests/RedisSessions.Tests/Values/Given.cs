using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Text;
using MessagePack;
using RedisSessions.Values;

namespace RedisSessions.Tests.Values;

/// <summary>Short words for the values that the pure functions take, and one readable text for what comes out.</summary>
internal static class Given
{
    public static SessionPath Path(string text) => SessionPath.Parse(text);

    /// <summary>A tree as it comes from a store: read from bytes, nothing unfolded.</summary>
    public static SessionTree Tree(params (string Path, object? Value)[] values)
    {
        var tree = SessionTree.Empty();
        foreach (var (path, value) in values)
            tree.Set(Path(path), SessionValue.From(value));
        return SessionTree.Read(tree.ToPayload().ToArray());
    }

    public static ReadSet Reads(params string[] paths)
    {
        var reads = new ReadSet();
        foreach (var path in paths)
            reads.Add(Path(path), presenceOnly: false);
        return reads;
    }

    public static ReadSet Presence(params string[] paths)
    {
        var reads = new ReadSet();
        foreach (var path in paths)
            reads.Add(Path(path), presenceOnly: true);
        return reads;
    }

    public static ChangeLog Changes(params Change[] changes)
    {
        var log = new ChangeLog();
        foreach (var change in changes)
            log.Append(change);
        return log;
    }

    public static Change Set(string path, object? value) => new SetChange(Path(path), SessionValue.From(value));

    public static Change Remove(string path) => new RemoveChange(Path(path));

    public static Change Clear() => new ClearChange();

    public static Change Increment(string path, long by = 1) => new IncrementChange(Path(path), by);

    public static Change Push(string path, object? value) => new AddChange(Path(path), SessionValue.From(value), First: false);

    public static Change Prepend(string path, object? value) => new AddChange(Path(path), SessionValue.From(value), First: true);

    public static Change Flash(string path, object? value, bool aged = false) => new FlashChange(Path(path), SessionValue.From(value), aged);

    public static Change Keep(params string[] keys) => new KeepChange(keys.Length == 0 ? null : keys, Aged: false);

    /// <summary>A tree as text, keys in alphabetical order: <c>{a: 1, b: [x, y]}</c>.</summary>
    public static string Text(SessionTree tree) => Text(tree.ToValue().ToObject());

    public static string Text(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        string text => text,
        byte[] bytes => "0x" + Convert.ToHexStringLower(bytes),
        double number => number.ToString("R", CultureInfo.InvariantCulture) + "d",
        DateTimeOffset { Offset.Ticks: 0 } instant => instant.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        DateTimeOffset or DateTime => string.Create(CultureInfo.InvariantCulture, $"{value:O}"),
        IReadOnlyDictionary<string, object?> map =>
            $"{{{string.Join(", ", map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}: {Text(pair.Value)}"))}}}",
        IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(Text))}]",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentException($"{value.GetType()} is no value that a session reads as."),
    };

    /// <summary>A payload with an index, of entries whose values may be anything.</summary>
    public static byte[] Indexed(int groupSize, params (string Key, byte[] Value)[] entries)
    {
        List<byte> hashes = [], lengths = [], map = entries.Length switch
        {
            < 16 => [(byte)(0x80 | entries.Length)],
            <= ushort.MaxValue => [0xde, .. Big(entries.Length)[2..]],
            _ => [0xdf, .. Big(entries.Length)],
        };
        foreach (var group in entries.Chunk(groupSize))
        {
            var start = map.Count;
            foreach (var (key, value) in group)
            {
                hashes.AddRange(Big(HashOf(Encoding.UTF8.GetBytes(key)))[2..]);
                map.AddRange([.. SessionValue.From(key).Bytes.Span, .. value]);
            }

            lengths.AddRange(Big(map.Count - start));
        }

        return [0xc9, .. Big(1 + hashes.Count + lengths.Count), 2, (byte)groupSize, .. hashes, .. lengths, .. map];

        static byte[] Big(int number) => [(byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number];
    }

    /// <summary>The same of a map with text keys that is well-formed.</summary>
    public static byte[] Indexed(int groupSize, byte[] map)
    {
        var reader = new MessagePackReader(map);
        var entries = new (string, byte[])[reader.ReadMapHeader()];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = (reader.ReadString()!, reader.ReadRaw().ToArray());
        return Indexed(groupSize, entries);
    }

    /// <summary>What an index has for a key, bit by bit: the lower half of a CRC with the polynomial of Castagnoli.</summary>
    public static ushort HashOf(ReadOnlySpan<byte> key)
    {
        var crc = uint.MaxValue;
        foreach (var b in key)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) * 0x82f63b78);
        }

        return (ushort)~crc;
    }
}

/// <summary>What a tree is told to throw for what is damaged.</summary>
internal sealed class DamagedException(FormatException cause) : Exception(cause.Message);
