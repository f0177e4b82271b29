using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>From MessagePack to PHP. Where what only PHP can read has moved, the numbers of its references move with it; else its bytes are copied as they are.</summary>
internal sealed class PhpPayloadWriter(PhpSessionFormat format)
{
    // Beyond these PHP writes an exponent.
    private const int MostPlainPower = 17, LeastPlainPower = -3;

    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly List<(int From, int Slots, int To)> _moved = [];
    private int _slots;

    /// <param name="payload">One well-formed map.</param>
    public byte[] Write(ReadOnlySpan<byte> payload)
    {
        var header = Packed.ReadHeader(payload);
        var at = header.Start;
        if (format != PhpSessionFormat.Php)
        {
            BeginArray(header.Children / 2);
            _slots = 1;
        }

        for (var left = header.Children; left > 0; left -= 2)
        {
            var key = Next(payload, ref at);
            if (format == PhpSessionFormat.Php)
                WriteName(key);
            else
                WriteKey(key);
            var value = Next(payload, ref at);
            if (Packed.KindOf(value[0]) == SessionValueKind.Foreign)
                WriteForeign(Packed.KeyText(key), value);
            else
                WriteValue(value);
        }

        if (format != PhpSessionFormat.Php)
            _output.Write("}"u8);
        return format == PhpSessionFormat.SerializedString ? Wrap() : _output.WrittenSpan.ToArray();
    }

    /// <summary>Whether PHP makes an integer of a key: digits as it would write the integer itself.</summary>
    public static bool TryParseKey(string key, out long number) =>
        long.TryParse(key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number) && number.ToString(CultureInfo.InvariantCulture) == key;

    private byte[] Wrap()
    {
        var whole = new ArrayBufferWriter<byte>(_output.WrittenCount + 16);
        WriteString(whole, _output.WrittenSpan);
        return whole.WrittenSpan.ToArray();
    }

    private void WriteName(ReadOnlySpan<byte> key)
    {
        var header = Packed.ReadHeader(key);
        var name = key.Slice(header.Start, header.Length);
        // PHP drops the one with a warning and fails at the other.
        if (header.Kind is not (SessionValueKind.String or SessionValueKind.Bytes) || TryParseKey(Packed.KeyText(key), out _) || name.Contains((byte)'|'))
        {
            throw new FormatException(
                $"the session key '{Packed.KeyText(key)}' is an integer or holds a |, which PHP's format \"php\" has no place for at the top: use another key, or php_serialize on both sides");
        }

        _output.Write(name);
        _output.Write("|"u8);
    }

    private void WriteKey(ReadOnlySpan<byte> key)
    {
        var header = Packed.ReadHeader(key);
        if (header.Kind == SessionValueKind.Bytes)
            WriteString(_output, key.Slice(header.Start, header.Length));
        else if (header.Kind is not (SessionValueKind.String or SessionValueKind.Integer))
            throw new FormatException("a session holds a map with a key that is neither a string nor an integer, which PHP has no form for");
        else if (Packed.KeyText(key) is var text && TryParseKey(text, out var number))
            WriteInteger(number);
        else
            WriteString(_output, Encoding.UTF8.GetBytes(text));
    }

    /// <summary>One value with all that is in it. The levels are those of the payload, which has few.</summary>
    private void WriteValue(ReadOnlySpan<byte> value)
    {
        _slots++;
        var header = Packed.ReadHeader(value);
        var content = value.Slice(header.Start, header.Length);
        switch (header.Kind)
        {
            case SessionValueKind.Null:
                _output.Write("N;"u8);
                break;
            case SessionValueKind.Boolean:
                _output.Write(value[0] == 0xc3 ? "b:1;"u8 : "b:0;"u8);
                break;
            case SessionValueKind.Integer when new SessionValue(value.ToArray()).TryGetInteger(out var number):
                WriteInteger(number);
                break;
            case SessionValueKind.Integer:
                // Larger than any integer of PHP; as a double it would be another number.
                WriteString(_output, Encoding.ASCII.GetBytes(Packed.KeyText(value)));
                break;
            case SessionValueKind.Double:
                WriteDouble(new SessionValue(value.ToArray()).To<double>());
                break;
            case SessionValueKind.String or SessionValueKind.Bytes:
                WriteString(_output, content);
                break;
            case SessionValueKind.Timestamp:
                WriteString(_output, Encoding.ASCII.GetBytes(new SessionValue(value.ToArray()).To<DateTimeOffset>().UtcDateTime.ToString("O", CultureInfo.InvariantCulture)));
                break;
            case SessionValueKind.Decimal:
                // PHP's doubles would round it.
                WriteString(_output, content);
                break;
            case SessionValueKind.Date:
                WriteString(_output, Encoding.ASCII.GetBytes(DateText(PackedDate.Read(content))));
                break;
            case SessionValueKind.List:
                WriteList(value, header);
                break;
            case SessionValueKind.Map:
                WriteMap(value, header);
                break;
            default:
                throw new FormatException("what only PHP can read stands below the top of a session, where nothing puts it");
        }
    }

    private static string DateText(object date) => date is DateTimeOffset time
        ? time.ToString("O", CultureInfo.InvariantCulture)
        : ((DateTime)date).ToString("O", CultureInfo.InvariantCulture);

    private void WriteList(ReadOnlySpan<byte> list, Packed.Header header)
    {
        BeginArray(header.Children);
        var at = header.Start;
        for (var i = 0L; i < header.Children; i++)
        {
            WriteInteger(i);
            WriteValue(Next(list, ref at));
        }

        _output.Write("}"u8);
    }

    private void WriteMap(ReadOnlySpan<byte> map, Packed.Header header)
    {
        BeginArray(header.Children / 2);
        var at = header.Start;
        for (var left = header.Children; left > 0; left -= 2)
        {
            WriteKey(Next(map, ref at));
            WriteValue(Next(map, ref at));
        }

        _output.Write("}"u8);
    }

    private void WriteForeign(string key, ReadOnlySpan<byte> packed)
    {
        var php = PhpForeign.Unpack(packed, out var from, out var slots);
        _moved.Add((from, slots, _slots + 1));
        _slots += slots;
        var scanner = new PhpScanner(php);
        var (copied, levels) = (0, new Stack<long>());
        while (true)
        {
            var start = scanner.At;
            var token = scanner.Next();
            if (token is PhpToken.Reference or PhpToken.SameObject && Moved(key, (int)scanner.Number) is var number && number != scanner.Number)
            {
                _output.Write(php[copied..start]);
                _output.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{(char)token}:{number};")));
                copied = scanner.At;
            }

            if (token is PhpToken.Array or PhpToken.Object)
                levels.Push(scanner.Number);
            while (levels.TryPeek(out var left) && left == 0)
            {
                scanner.End();
                levels.Pop();
            }

            if (levels.Count == 0)
                break;
            levels.Push(levels.Pop() - 1);
            scanner.NextKey();
        }

        _output.Write(php[copied..]);
    }

    /// <summary>Where a value stands now that had a number when PHP wrote it.</summary>
    private int Moved(string key, int number)
    {
        // The session itself.
        if (format != PhpSessionFormat.Php && number == 1)
            return 1;
        // In the order of their numbers: nothing that only PHP can read is ever moved past another.
        var (low, high) = (0, _moved.Count - 1);
        while (low <= high)
        {
            var (from, slots, to) = _moved[(low + high) / 2];
            if (number < from)
                high = (low + high) / 2 - 1;
            else if (number >= from + slots)
                low = (low + high) / 2 + 1;
            else
                return number - from + to;
        }

        throw new FormatException(
            $"the session value '{key}', which only PHP can read, holds a reference to another value of the session that was removed or replaced: remove '{key}' too, or leave both");
    }

    private void BeginArray(long count) => _output.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"a:{count}:{{")));

    private void WriteInteger(long number)
    {
        var span = _output.GetSpan(24);
        "i:"u8.CopyTo(span);
        Utf8Formatter.TryFormat(number, span[2..], out var written);
        span[2 + written] = (byte)';';
        _output.Advance(3 + written);
    }

    private void WriteDouble(double value)
    {
        var digits = value switch
        {
            double.PositiveInfinity => "INF",
            double.NegativeInfinity => "-INF",
            _ when double.IsNaN(value) => "NAN",
            0 => double.IsNegative(value) ? "-0" : "0",
            _ => Digits(value),
        };
        _output.Write(Encoding.ASCII.GetBytes($"d:{digits};"));
    }

    /// <summary>The fewest digits that are this double, with point and exponent where PHP has them.</summary>
    private static string Digits(double value)
    {
        var shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture).Split('E');
        var point = shortest[0].IndexOf('.', StringComparison.Ordinal);
        var all = shortest[0].Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        // The value is 0.digits times ten to the power of this.
        var power = (point < 0 ? all.Length : point) - (all.Length - digits.Length)
            + (shortest.Length == 1 ? 0 : int.Parse(shortest[1], CultureInfo.InvariantCulture));
        digits = digits.TrimEnd('0');
        var sign = value < 0 ? "-" : "";
        if (power is < LeastPlainPower or > MostPlainPower)
            return string.Create(CultureInfo.InvariantCulture, $"{sign}{digits[0]}.{(digits.Length == 1 ? "0" : digits[1..])}E{power - 1:+0;-0}");
        if (power <= 0)
            return $"{sign}0.{new string('0', -power)}{digits}";
        return digits.Length <= power ? sign + digits.PadRight(power, '0') : $"{sign}{digits[..power]}.{digits[power..]}";
    }

    private static void WriteString(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        output.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"s:{text.Length}:\"")));
        output.Write(text);
        output.Write("\";"u8);
    }

    private static ReadOnlySpan<byte> Next(ReadOnlySpan<byte> bytes, ref int at)
    {
        var length = Packed.Skip(bytes[at..]);
        at += length;
        return bytes.Slice(at - length, length);
    }
}
