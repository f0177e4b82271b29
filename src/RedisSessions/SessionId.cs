using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace RedisSessions;

/// <summary>
/// The secret that a cookie carries: 256 random bits, as 43 characters of base64url, or what PHP has made where sessions are shared with PHP
/// (<see cref="SessionIdFormat"/>). It parses or it does not exist, and it never prints itself; what a log may see is the <see cref="SessionKey"/>.
/// </summary>
public readonly struct SessionId : IEquatable<SessionId>
{
    /// <summary>The length of a <see cref="SessionIdFormat.Standard"/> id in characters.</summary>
    public const int Length = 43;

    private const int Bytes = 32;

    // In front of an id that is not ours, and in no id: the key of such a one is the id itself, and equal letters do not make it one of ours.
    internal const char ForeignMark = ':';

    private const int LaravelLength = 40, LeastPhpLength = 22, MostPhpLength = 256;

    private const string LettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    private static readonly SearchValues<char> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    // Every fourth one of the alphabet.
    private static readonly SearchValues<char> LastOnes = SearchValues.Create("AEIMQUYcgkosw048");

    private static readonly SearchValues<char> PhpAlphabet = SearchValues.Create(LettersAndDigits + ",-");
    private static readonly SearchValues<char> LaravelAlphabet = SearchValues.Create(LettersAndDigits);

    private readonly string? _value;

    private SessionId(string value) => _value = value;

    /// <summary>The secret itself, for the cookie and for nothing else.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>, not an id.</exception>
    public string Value => _value switch
    {
        null => throw new InvalidOperationException("This is no session id: use SessionId.New or TryParse."),
        [ForeignMark, ..] => _value[1..],
        _ => _value,
    };

    /// <summary>An id of another format with its mark; null for one of ours.</summary>
    internal string? Foreign => _value is [ForeignMark, ..] ? _value : null;

    /// <summary>What <see cref="Foreign"/> was.</summary>
    internal static SessionId OfForeign(string marked) => new(marked);

    /// <summary>A new id from the system's random number generator.</summary>
    public static SessionId New()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        RandomNumberGenerator.Fill(bytes);
        return new SessionId(Base64Url.EncodeToString(bytes));
    }

    /// <summary>A new id from the system's random number generator, as others want it who share the sessions.</summary>
    /// <param name="format">For <see cref="SessionIdFormat.Php"/> and <see cref="SessionIdFormat.Laravel"/> it has 40 letters and digits, 238 bits, which both of them take.</param>
    public static SessionId New(SessionIdFormat format) => format == SessionIdFormat.Standard
        ? New()
        : new(ForeignMark + RandomNumberGenerator.GetString(LettersAndDigits, LaravelLength));

    /// <summary>Accepts exactly what <see cref="New()"/> can produce; everything else is no id.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SessionId id)
    {
        id = default;
        // 43 characters are 258 bits, and an id has 256: the last two are zero. So an id has one spelling, and one cookie has one key.
        if (text is not { Length: Length } || text.AsSpan().ContainsAnyExcept(Alphabet) || !LastOnes.Contains(text[^1]))
            return false;

        id = new SessionId(text);
        return true;
    }

    /// <summary>Accepts what is an id in a format, and nothing else.</summary>
    /// <param name="text">What a cookie holds.</param>
    /// <param name="format">The format of the handler in use.</param>
    /// <param name="id">The id. Those of different formats are never equal.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, SessionIdFormat format, out SessionId id)
    {
        if (format == SessionIdFormat.Standard)
            return TryParse(text, out id);
        var isId = text is not null && (format == SessionIdFormat.Laravel
            ? text.Length == LaravelLength && !text.AsSpan().ContainsAnyExcept(LaravelAlphabet)
            : text.Length is >= LeastPhpLength and <= MostPhpLength && !text.AsSpan().ContainsAnyExcept(PhpAlphabet));
        id = isId ? new SessionId(ForeignMark + text) : default;
        return isId;
    }

    /// <inheritdoc/>
    public bool Equals(SessionId other) => string.Equals(_value, other._value, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SessionId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _value?.GetHashCode(StringComparison.Ordinal) ?? 0;

    /// <summary>Says nothing, on purpose: an id that prints itself ends up in a log.</summary>
    public override string ToString() => "(session id)";

    /// <summary>Two ids with the same characters.</summary>
    public static bool operator ==(SessionId left, SessionId right) => left.Equals(right);

    /// <summary>Two ids with different characters.</summary>
    public static bool operator !=(SessionId left, SessionId right) => !left.Equals(right);
}
