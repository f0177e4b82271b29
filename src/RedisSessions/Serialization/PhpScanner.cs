using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace RedisSessions;

/// <summary>What the first letter of a serialized PHP value says.</summary>
internal enum PhpToken : byte
{
    Null = (byte)'N',
    Boolean = (byte)'b',
    Integer = (byte)'i',
    Double = (byte)'d',
    String = (byte)'s',
    EscapedString = (byte)'S',
    Array = (byte)'a',
    Object = (byte)'O',
    CustomObject = (byte)'C',
    Enum = (byte)'E',

    /// <summary>The same object as one before. Takes a number of its own.</summary>
    SameObject = (byte)'r',

    /// <summary>A PHP reference to a value before. Takes no number.</summary>
    Reference = (byte)'R',
}

/// <summary>
/// Steps through serialized PHP, one token at a time and never back; nothing is made of what it meets. Whoever uses it minds the levels. Every length and count is held against the
/// bytes that are left, so that no input costs more than its own length.
/// </summary>
internal ref struct PhpScanner(ReadOnlySpan<byte> bytes, int at = 0)
{
    // The shortest entry of an array: i:0;N;
    private const int ShortestEntry = 6;

    private static readonly SearchValues<byte> DoubleDigits = SearchValues.Create("0123456789+-.eE"u8);

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Where the next token begins.</summary>
    public int At { get; private set; } = at;

    public readonly bool IsAtEnd => At == _bytes.Length;

    /// <summary>The bytes of a string, the digits of a double; the content of the last token.</summary>
    public ReadOnlySpan<byte> Content { get; private set; }

    /// <summary>The number in the last token: an integer, 0 or 1 for a boolean, where a reference leads, how many entries there are.</summary>
    public long Number { get; private set; }

    public readonly ReadOnlySpan<byte> Rest => _bytes[At..];

    public void Skip(int count) => At += count;

    /// <summary>The next value, or the beginning of one that has others in it.</summary>
    /// <exception cref="FormatException">No serialized PHP begins like this.</exception>
    public PhpToken Next()
    {
        var token = (PhpToken)Peek();
        Skip(1);
        if (token == PhpToken.Null)
        {
            Expect((byte)';');
            return token;
        }

        Expect((byte)':');
        switch (token)
        {
            case PhpToken.Boolean:
                Number = Integer();
                if (Number is not (0 or 1))
                    throw Damaged();
                Expect((byte)';');
                break;
            case PhpToken.Integer:
                Number = Integer();
                Expect((byte)';');
                break;
            case PhpToken.Double:
                Content = Until((byte)';');
                break;
            case PhpToken.String:
                Content = Text();
                Expect((byte)';');
                break;
            case PhpToken.EscapedString:
                Content = EscapedText();
                Expect((byte)';');
                break;
            case PhpToken.Array:
                Number = Count(ShortestEntry);
                Expect((byte)':');
                Expect((byte)'{');
                break;
            case PhpToken.Object:
                Content = Text();
                Expect((byte)':');
                Number = Count(ShortestEntry);
                Expect((byte)':');
                Expect((byte)'{');
                break;
            case PhpToken.CustomObject:
                Content = Text();
                Expect((byte)':');
                var length = (int)Count(1);
                Expect((byte)':');
                Expect((byte)'{');
                _ = Take(length);
                Expect((byte)'}');
                break;
            case PhpToken.Enum:
                Content = Text();
                Expect((byte)';');
                break;
            case PhpToken.SameObject or PhpToken.Reference:
                Number = Count(0);
                if (Number is 0 or > int.MaxValue)
                    throw Damaged();
                Expect((byte)';');
                break;
            default:
                throw new FormatException("the PHP session holds a value of a kind that PHP does not write");
        }

        return token;
    }

    /// <summary>The key of an entry: an integer or a string. One that reads as an integer is one to PHP, however it was written.</summary>
    public PhpToken NextKey()
    {
        var key = Next();
        if (key == PhpToken.String && !Content.IsEmpty && Content[0] is (byte)'-' or (>= (byte)'0' and <= (byte)'9')
            && PhpPayloadWriter.TryParseKey(Encoding.Latin1.GetString(Content), out var number))
        {
            Number = number;
            return PhpToken.Integer;
        }

        return key is PhpToken.Integer or PhpToken.String or PhpToken.EscapedString ? key : throw Damaged();
    }

    /// <summary>The end of an array or an object.</summary>
    public void End() => Expect((byte)'}');

    /// <summary>A double as PHP writes it.</summary>
    public static double Double(ReadOnlySpan<byte> digits)
    {
        if (digits.SequenceEqual("INF"u8))
            return double.PositiveInfinity;
        if (digits.SequenceEqual("-INF"u8))
            return double.NegativeInfinity;
        if (digits.SequenceEqual("NAN"u8))
            return double.NaN;
        return !digits.ContainsAnyExcept(DoubleDigits) && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : throw Damaged();
    }

    public static FormatException Damaged() => new("the PHP session is damaged, or its format is another one than the one that is set");

    private readonly byte Peek() => At < _bytes.Length ? _bytes[At] : throw CutOff();

    private void Expect(byte wanted)
    {
        if (Peek() != wanted)
            throw Damaged();
        At++;
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _bytes.Length - At)
            throw CutOff();
        var taken = _bytes.Slice(At, length);
        At += length;
        return taken;
    }

    private ReadOnlySpan<byte> Until(byte end)
    {
        var length = Rest.IndexOf(end);
        if (length < 0)
            throw CutOff();
        var taken = Take(length);
        At++;
        return taken;
    }

    private long Integer()
    {
        if (!Utf8Parser.TryParse(Rest, out long number, out var length))
            throw Damaged();
        At += length;
        return number;
    }

    /// <summary>Digits without a sign; no more things than there is room for in the bytes that are left.</summary>
    private long Count(int sizeOfEach)
    {
        if (!char.IsAsciiDigit((char)Peek()))
            throw Damaged();
        var count = Integer();
        return sizeOfEach == 0 || count <= (_bytes.Length - At) / sizeOfEach ? count : throw CutOff();
    }

    private ReadOnlySpan<byte> Text()
    {
        var length = (int)Count(1);
        Expect((byte)':');
        Expect((byte)'"');
        var text = Take(length);
        Expect((byte)'"');
        return text;
    }

    // The length counts what is meant: a backslash and two hexadecimal digits are one byte.
    private ReadOnlySpan<byte> EscapedText()
    {
        var length = (int)Count(1);
        Expect((byte)':');
        Expect((byte)'"');
        var start = At;
        for (; length > 0; length--)
            _ = Take(Peek() == (byte)'\\' ? 3 : 1);
        var text = _bytes[start..At];
        Expect((byte)'"');
        return text;
    }

    private static FormatException CutOff() => new("the PHP session is damaged: it is cut off");
}
