using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace RedisSessions;

/// <summary>
/// The value of a cookie as Laravel's <c>EncryptCookies</c> writes it: encrypted, with the cookie's name under a key in front of it (<c>CookieValuePrefix</c>), so that the
/// value of one cookie is none of another.
/// </summary>
internal sealed class LaravelCookie
{
    // What Laravel makes of an id has about 400 characters, and browsers keep 4096.
    private const int LongestValue = 4096;

    private readonly byte[][] _keys;
    private readonly LaravelEncrypter _encrypter;
    private readonly bool _serialize;

    private LaravelCookie(LaravelCipher cipher, byte[][] keys, bool serialize) => (_keys, _encrypter, _serialize) = (keys, new LaravelEncrypter(cipher, keys), serialize);

    /// <summary>Makes it from validated options; null when the cookie is not encrypted.</summary>
    public static LaravelCookie? Create(LaravelCookieOptions options) => options.AppKey is null
        ? null
        : TryCreate(options, out var cookie, out var errors) ? cookie : throw new InvalidOperationException(string.Join(' ', errors));

    /// <summary>Makes it, or says what is wrong with the options; never what a key is.</summary>
    public static bool TryCreate(LaravelCookieOptions options, [NotNullWhen(true)] out LaravelCookie? cookie, out IReadOnlyList<string> errors)
    {
        cookie = null;
        if (!LaravelCipher.TryParse(options.Cipher, out var cipher))
        {
            errors = [$"Sessions:Cookie:Laravel:Cipher is \"{options.Cipher}\": it must be AES-256-CBC, AES-128-CBC, AES-256-GCM or AES-128-GCM."];
            return false;
        }

        List<string> wrong = [];
        byte[][] keys = [Key("AppKey", options.AppKey), .. options.PreviousKeys.Select((text, index) => Key($"PreviousKeys:{index}", text))];
        errors = wrong;
        if (wrong.Count == 0)
            cookie = new LaravelCookie(cipher, keys, options.Serialize);
        return cookie is not null;

        byte[] Key(string setting, string? text)
        {
            if (cipher.TryParseKey(text, out var key))
                return key;
            wrong.Add($"Sessions:Cookie:Laravel:{setting} is no key for {options.Cipher}: it must be {cipher.KeyBytes} bytes, as text or as base64 after \"base64:\", as in Laravel's APP_KEY.");
            return [];
        }
    }

    public string Write(string name, string value)
    {
        var text = Prefix(_keys[0], name) + value;
        return _encrypter.Encrypt(Encoding.UTF8.GetBytes(_serialize ? string.Create(CultureInfo.InvariantCulture, $"s:{Encoding.UTF8.GetByteCount(text)}:\"{text}\";") : text));
    }

    /// <summary>What Laravel would take from this cookie; null when that is nothing.</summary>
    /// <param name="name">The cookie's name.</param>
    /// <param name="value">Its value as it came, percent-encoded.</param>
    public string? Read(string name, ReadOnlySpan<char> value)
    {
        if (value.Length is 0 or > LongestValue || _encrypter.Decrypt(Uri.UnescapeDataString(value)) is not { } plain)
            return null;
        var bytes = _serialize ? Unserialized(plain) : plain;
        foreach (var key in _keys)
        {
            var prefix = Encoding.ASCII.GetBytes(Prefix(key, name));
            if (bytes.Length >= prefix.Length && CryptographicOperations.FixedTimeEquals(bytes[..prefix.Length], prefix))
                return Encoding.UTF8.GetString(bytes[prefix.Length..]);
        }

        return null;
    }

    /// <summary>The content of <c>s:length:"…";</c>, and of nothing else that PHP can serialize; empty when it is none.</summary>
    private static ReadOnlySpan<byte> Unserialized(ReadOnlySpan<byte> plain)
    {
        var quote = plain.IndexOf((byte)'"');
        return quote > 0 && plain.EndsWith("\";"u8) && plain.Length >= quote + 3
            && plain[..quote].SequenceEqual(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"s:{plain.Length - quote - 3}:")))
            ? plain[(quote + 1)..^2]
            : [];
    }

    private static string Prefix(byte[] key, string name) => Convert.ToHexStringLower(HMACSHA1.HashData(key, Encoding.UTF8.GetBytes(name + "v2"))) + "|";
}
