using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace RedisSessions;

/// <summary>
/// The secret that a cookie carries: 256 random bits, as 43 characters of base64url. It parses or it does not exist,
/// and it never prints itself; what a store or a log may see is the <see cref="SessionKey"/>.
/// </summary>
public readonly struct SessionId : IEquatable<SessionId>
{
    /// <summary>The length of an id in characters.</summary>
    public const int Length = 43;

    private const int Bytes = 32;

    private static readonly SearchValues<char> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    // Every fourth one of the alphabet.
    private static readonly SearchValues<char> LastOnes = SearchValues.Create("AEIMQUYcgkosw048");

    private readonly string? _value;

    private SessionId(string value) => _value = value;

    /// <summary>The secret itself, for the cookie and for nothing else.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>, not an id.</exception>
    public string Value => _value ?? throw new InvalidOperationException("This is no session id: use SessionId.New or TryParse.");

    /// <summary>A new id from the system's random number generator.</summary>
    public static SessionId New()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        RandomNumberGenerator.Fill(bytes);
        return new SessionId(Base64Url.EncodeToString(bytes));
    }

    /// <summary>Accepts exactly what <see cref="New"/> can produce; everything else is no id.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SessionId id)
    {
        id = default;
        // 43 characters are 258 bits, and an id has 256: the last two are zero. So an id has one spelling, and one cookie has one key.
        if (text is not { Length: Length } || text.AsSpan().ContainsAnyExcept(Alphabet) || !LastOnes.Contains(text[^1]))
            return false;

        id = new SessionId(text);
        return true;
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
