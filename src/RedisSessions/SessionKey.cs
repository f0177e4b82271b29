using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace RedisSessions;

/// <summary>
/// The name of a session in a store: base64url(SHA-256(id)), 43 characters. A dump of the store, its slow log or a replica is
/// therefore no list of working cookies.
/// </summary>
public readonly record struct SessionKey
{
    [ThreadStatic]
    private static IncrementalHash? t_sha256;

    private readonly string? _value;

    private SessionKey(string value) => _value = value;

    /// <summary>The key as text; letters, digits, <c>-</c> and <c>_</c> only, so it is safe in a file name or a statement.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default</c>, not a key.</exception>
    public string Value => _value ?? throw new InvalidOperationException("This is no session key: use SessionKey.From.");

    /// <summary>The key of a session id.</summary>
    public static SessionKey From(SessionId id)
    {
        Span<byte> ascii = stackalloc byte[SessionId.Length];
        Encoding.ASCII.GetBytes(id.Value, ascii);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        // SHA256.HashData would set up a digest for every id, which takes longer than the digest itself.
        var sha256 = t_sha256 ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha256.AppendData(ascii);
        sha256.GetHashAndReset(hash);
        return new SessionKey(Base64Url.EncodeToString(hash));
    }

    /// <summary>The key, which is no secret.</summary>
    public override string ToString() => _value ?? "(none)";

    internal byte[] ToBytes() => Encoding.ASCII.GetBytes(Value);

    internal static SessionKey FromBytes(ReadOnlySpan<byte> ascii) =>
        TryParse(Encoding.ASCII.GetString(ascii), out var key) ? key : throw new FormatException("a forward does not hold a session key");

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
