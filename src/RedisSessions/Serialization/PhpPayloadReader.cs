using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using MessagePack;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>
/// From PHP to MessagePack, in two passes: the first looks at every byte, tells lists from maps and finds what only PHP can read; the second writes. The first numbers the values as PHP
/// does, because that is how references name them: every value has a number, but for references themselves.
/// </summary>
internal sealed class PhpPayloadReader(ReadOnlyMemory<byte> session, PhpSessionFormat format)
{
    private const int MaxDepth = 4096;

    private readonly List<Entry> _entries = [];
    private readonly List<bool> _lists = [];
    private readonly List<(int Entry, int Target)> _references = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Stack<Level> _levels = new();
    private int _slots;

    /// <summary>Whether there is an entry that only PHP can read.</summary>
    public bool HoldsForeign => _entries.Exists(static entry => entry.IsForeign);

    /// <exception cref="FormatException">This is no session.</exception>
    public ReadOnlyMemory<byte> Read()
    {
        var scanner = new PhpScanner(session.Span);
        if (format == PhpSessionFormat.Php)
            ScanPhp(ref scanner);
        else
            ScanArray(ref scanner);
        if (!scanner.IsAtEnd)
            throw PhpScanner.Damaged();
        foreach (var (from, target) in _references)
            MarkTarget(from, target);

        var output = new ArrayBufferWriter<byte>(session.Length + 64);
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(_entries.Count);
        foreach (var entry in _entries)
            Write(ref writer, entry);
        writer.Flush();
        return output.WrittenMemory;
    }

    private void ScanPhp(ref PhpScanner scanner)
    {
        while (!scanner.IsAtEnd)
        {
            var length = scanner.Rest.IndexOf((byte)'|');
            if (length < 0)
                throw PhpScanner.Damaged();
            var name = (scanner.At, length);
            AddName(Encoding.Latin1.GetString(scanner.Rest[..length]));
            scanner.Skip(length + 1);
            Scan(ref scanner, name, number: null);
        }
    }

    private void ScanArray(ref PhpScanner scanner)
    {
        // Without sessions of its own Laravel has an empty string here now and then, and so has an application that has just created its record.
        if (scanner.IsAtEnd)
            return;
        if (scanner.Next() != PhpToken.Array)
            throw PhpScanner.Damaged();
        _slots = 1;
        for (var left = scanner.Number; left > 0; left--)
        {
            var key = scanner.NextKey();
            if (key == PhpToken.Integer)
            {
                AddName(Digits(scanner.Number));
                Scan(ref scanner, default, scanner.Number);
            }
            else if (key == PhpToken.String)
            {
                AddName(Encoding.Latin1.GetString(scanner.Content));
                // Behind it are a quotation mark and a semicolon.
                Scan(ref scanner, (scanner.At - 2 - scanner.Content.Length, scanner.Content.Length), number: null);
            }
            else
            {
                throw PhpScanner.Damaged();
            }
        }

        scanner.End();
    }

    /// <summary>Looks at one entry at the top, to its end.</summary>
    private void Scan(ref PhpScanner scanner, (int At, int Length) name, long? number)
    {
        var (start, firstSlot, firstList, isForeign, deepest) = (scanner.At, _slots + 1, _lists.Count, false, 0);
        _levels.Clear();
        while (true)
        {
            var token = scanner.Next();
            if (token != PhpToken.Reference)
                _slots++;
            isForeign |= token is not (PhpToken.Null or PhpToken.Boolean or PhpToken.Integer or PhpToken.Double or PhpToken.String or PhpToken.Array);
            if (token is PhpToken.SameObject or PhpToken.Reference)
                _references.Add((_entries.Count, (int)scanner.Number));
            else if (token == PhpToken.Double)
                _ = PhpScanner.Double(scanner.Content);
            if (token is PhpToken.Array or PhpToken.Object)
            {
                if (_levels.Count == MaxDepth)
                    throw new FormatException($"the PHP session nests deeper than {MaxDepth} levels");
                _levels.Push(new Level(scanner.Number, _lists.Count, token == PhpToken.Array));
                _lists.Add(token == PhpToken.Array);
                deepest = Math.Max(deepest, _levels.Count);
            }

            if (!NextKey(ref scanner))
                break;
        }

        // All of them nest in the map that the session is.
        isForeign |= deepest >= Packed.MaxDepth;
        _entries.Add(new Entry(name.At, name.Length, number, start, scanner.At, firstSlot, _slots - firstSlot + 1, firstList) { IsForeign = isForeign });
    }

    /// <summary>Leaves the arrays and objects that end here, and takes the key of the next value.</summary>
    /// <returns>False when there is none.</returns>
    private bool NextKey(ref PhpScanner scanner)
    {
        while (_levels.TryPeek(out var level))
        {
            if (level.Left == 0)
            {
                scanner.End();
                _levels.Pop();
                continue;
            }

            var key = scanner.NextKey();
            if (_lists[level.List] && key == PhpToken.Integer && scanner.Number == level.Next)
            {
                level.Next++;
            }
            else if (level.IsArray)
            {
                _lists[level.List] = false;
                level.AddKey(key == PhpToken.Integer ? Digits(scanner.Number) : Encoding.Latin1.GetString(scanner.Content));
            }

            level.Left--;
            return true;
        }

        return false;
    }

    /// <summary>A value that another entry shares is kept like that entry: whoever changed it here would change only one of the two.</summary>
    private void MarkTarget(int from, int target)
    {
        if (Holds(_entries[from], target))
            return;
        var (low, high) = (0, _entries.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (Holds(_entries[middle], target))
            {
                _entries[middle].IsForeign = true;
                return;
            }

            if (_entries[middle].FirstSlot > target)
                high = middle - 1;
            else
                low = middle + 1;
        }

        if (target > _slots)
            throw new FormatException("the PHP session holds a reference to a value that is not there");

        static bool Holds(Entry entry, int target) => target >= entry.FirstSlot && target < entry.FirstSlot + entry.Slots;
    }

    private void Write(ref MessagePackWriter writer, Entry entry)
    {
        var bytes = session.Span;
        if (entry.Number is { } number)
            writer.Write(number);
        else
            WriteText(ref writer, bytes.Slice(entry.NameAt, entry.NameLength));
        if (entry.IsForeign)
            writer.WriteRaw(PhpForeign.Pack(bytes[entry.Start..entry.End], entry.FirstSlot, entry.Slots));
        else
            WriteValue(ref writer, new PhpScanner(bytes, entry.Start), entry.FirstList);
    }

    private void WriteValue(ref MessagePackWriter writer, PhpScanner scanner, int list)
    {
        // How many values are left on each level, and whether they have keys.
        Span<(long Left, bool HasKeys)> levels = stackalloc (long, bool)[Packed.MaxDepth];
        for (var depth = 0; ;)
        {
            switch (scanner.Next())
            {
                case PhpToken.Null:
                    writer.WriteNil();
                    break;
                case PhpToken.Boolean:
                    writer.Write(scanner.Number == 1);
                    break;
                case PhpToken.Integer:
                    writer.Write(scanner.Number);
                    break;
                case PhpToken.Double:
                    writer.Write(PhpScanner.Double(scanner.Content));
                    break;
                case PhpToken.String:
                    WriteText(ref writer, scanner.Content);
                    break;
                default:
                    if (_lists[list])
                        writer.WriteArrayHeader((int)scanner.Number);
                    else
                        writer.WriteMapHeader((int)scanner.Number);
                    levels[depth++] = (scanner.Number, !_lists[list++]);
                    break;
            }

            while (depth > 0 && levels[depth - 1].Left == 0)
            {
                scanner.End();
                depth--;
            }

            if (depth == 0)
                return;
            levels[depth - 1].Left--;
            var key = scanner.NextKey();
            if (levels[depth - 1].HasKeys)
                WriteKey(ref writer, key, scanner);
        }
    }

    private static void WriteKey(ref MessagePackWriter writer, PhpToken key, PhpScanner scanner)
    {
        if (key == PhpToken.Integer)
            writer.Write(scanner.Number);
        else
            WriteText(ref writer, scanner.Content);
    }

    private static void WriteText(ref MessagePackWriter writer, ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
            writer.WriteString(text);
        else
            writer.Write(text);
    }

    private void AddName(string name)
    {
        if (!_names.Add(name))
            throw Twice();
    }

    private static string Digits(long number) => number.ToString(CultureInfo.InvariantCulture);

    // PHP would go by the last one; it never writes such a thing.
    private static FormatException Twice() => new("the PHP session is damaged: an array has a key twice");

    /// <summary>One entry at the top: its name, where its value stands, and which numbers the values in it have.</summary>
    private sealed record Entry(int NameAt, int NameLength, long? Number, int Start, int End, int FirstSlot, int Slots, int FirstList)
    {
        public bool IsForeign { get; set; }
    }

    /// <summary>An array or an object that is being looked at.</summary>
    private sealed class Level(long left, int list, bool isArray)
    {
        private HashSet<string>? _keys;

        public bool IsArray => isArray;

        public int List => list;

        public long Left { get; set; } = left;

        /// <summary>Which key comes next while this is a list; all before it have been.</summary>
        public long Next { get; set; }

        public void AddKey(string key)
        {
            if (!(_keys ??= new(StringComparer.Ordinal)).Add(key) || (PhpPayloadWriter.TryParseKey(key, out var number) && number >= 0 && number < Next))
                throw Twice();
        }
    }
}
