using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace RedisSessions;

/// <summary>A cipher by the name that Laravel gives it.</summary>
/// <param name="KeyBytes">The length of its keys.</param>
/// <param name="IsAead">Whether it authenticates by itself (GCM); else a MAC of Laravel's does.</param>
internal readonly record struct LaravelCipher(int KeyBytes, bool IsAead)
{
    /// <summary>The length of what begins a message: a block, or GCM's nonce.</summary>
    public int IvBytes => IsAead ? 12 : 16;

    /// <summary>In capitals or not, as Laravel takes it.</summary>
    public static bool TryParse(string? name, out LaravelCipher cipher)
    {
        (var known, cipher) = name?.ToUpperInvariant() switch
        {
            "AES-128-CBC" => (true, new LaravelCipher(16, IsAead: false)),
            "AES-256-CBC" => (true, new LaravelCipher(32, IsAead: false)),
            "AES-128-GCM" => (true, new LaravelCipher(16, IsAead: true)),
            "AES-256-GCM" => (true, new LaravelCipher(32, IsAead: true)),
            _ => default,
        };
        return known;
    }

    /// <summary>Reads a key as it stands in Laravel's environment.</summary>
    public bool TryParseKey(string? text, [NotNullWhen(true)] out byte[]? key)
    {
        const string Prefix = "base64:";
        key = null;
        if (text is null)
            return false;
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            key = Encoding.UTF8.GetBytes(text);
            return key.Length == KeyBytes;
        }

        key = new byte[KeyBytes];
        return Convert.TryFromBase64String(text[Prefix.Length..], new byte[text.Length], out var length) && length == KeyBytes
            && Convert.TryFromBase64String(text[Prefix.Length..], key, out _);
    }
}
