using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace RedisSessions;

/// <summary>
/// The name of a session in a store: base64url(SHA-256(id)), 43 characters. A dump of the store, its slow log or a replica is
/// therefore no list of working cookies. Of an id that PHP has to find its session by, a key gives the id itself to a handler that asks for it
/// (<see cref="TryGetId"/>); all else sees the hash.
/// </summary>
public readonly record struct SessionKey
{
    [ThreadStatic]
    private static IncrementalHash? t_sha256;

    // The hash; or an id that is not ours, which begins with a mark that no hash does.
    private readonly string? _value;

    private SessionKey(string value) => _value = value;

    /// <summary>The key as text; letters, digits, <c>-</c> and <c>_</c> only, so it is safe in a file name or a statement.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>, not a key.</exception>
    public string Value => _value switch
    {
        null => throw new InvalidOperationException("This is no session key: use SessionKey.From."),
        [SessionId.ForeignMark, ..] => Hash(_value.AsSpan(1)),
        _ => _value,
    };

    /// <summary>The key of a session id.</summary>
    public static SessionKey From(SessionId id) => new(id.Foreign ?? Hash(id.Value));

    /// <summary>
    /// The id that this is the key of, when records are named by it (<see cref="SessionIdFormat.Php"/>, <see cref="SessionIdFormat.Laravel"/>). It is a secret: for the name in
    /// the store, and for nothing else.
    /// </summary>
    /// <param name="id">The id.</param>
    /// <returns>False for the key of a <see cref="SessionIdFormat.Standard"/> id, which nobody gets back.</returns>
    public bool TryGetId(out SessionId id)
    {
        var isForeign = _value is [SessionId.ForeignMark, ..];
        id = isForeign ? SessionId.OfForeign(_value!) : default;
        return isForeign;
    }

    private static string Hash(ReadOnlySpan<char> id)
    {
        Span<byte> ascii = stackalloc byte[id.Length];
        Encoding.ASCII.GetBytes(id, ascii);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        // SHA256.HashData would set up a digest for every id, which takes longer than the digest itself.
        var sha256 = t_sha256 ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha256.AppendData(ascii);
        sha256.GetHashAndReset(hash);
        return Base64Url.EncodeToString(hash);
    }

    /// <summary>The key, which is no secret.</summary>
    public override string ToString() => _value is null ? "(none)" : Value;

    // A forward in a store whose records are named by ids has to lead to such a name.
    internal byte[] ToBytes() => Encoding.ASCII.GetBytes(_value ?? Value);

    internal static SessionKey FromBytes(ReadOnlySpan<byte> ascii)
    {
        var text = Encoding.ASCII.GetString(ascii);
        if (text is [SessionId.ForeignMark, ..] && SessionId.TryParse(text[1..], SessionIdFormat.Php, out var id))
            return From(id);
        return TryParse(text, out var key) ? key : throw new FormatException("a forward does not hold a session key");
    }

    /// <summary>Reads a key back from its text: a handler finds its sessions under the names that it gave them, and an application gets one back from a form.</summary>
    /// <param name="text">What <see cref="Value"/> was.</param>
    /// <param name="key">The key.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out SessionKey key)
    {
        // A key has the shape of an id, so the id's parser is the judge of it too.
        var isKey = SessionId.TryParse(text, out _);
        key = isKey ? new SessionKey(text!) : default;
        return isKey;
    }
}
