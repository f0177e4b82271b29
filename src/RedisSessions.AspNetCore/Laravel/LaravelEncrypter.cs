using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace RedisSessions;

/// <summary>
/// What <c>Illuminate\Encryption\Encrypter</c> writes and reads: base64 of JSON with <c>iv</c>, <c>value</c>, <c>mac</c> and <c>tag</c>. With CBC the MAC is HMAC-SHA256
/// over the two base64 texts and is checked before anything is decrypted; with GCM the tag takes its place.
/// </summary>
/// <param name="cipher">The cipher.</param>
/// <param name="keys">The key that encrypts, then those that only decrypt.</param>
internal sealed class LaravelEncrypter(LaravelCipher cipher, IReadOnlyList<byte[]> keys)
{
    private const int TagBytes = 16;

    public string Encrypt(byte[] plain)
    {
        var iv = RandomNumberGenerator.GetBytes(cipher.IvBytes);
        byte[] value, tag = [];
        if (cipher.IsAead)
        {
            (value, tag) = (new byte[plain.Length], new byte[TagBytes]);
            using var gcm = new AesGcm(keys[0], TagBytes);
            gcm.Encrypt(iv, plain, value, tag);
        }
        else
        {
            using var aes = Aes.Create();
            aes.Key = keys[0];
            value = aes.EncryptCbc(plain, iv);
        }

        var (ivText, valueText) = (Convert.ToBase64String(iv), Convert.ToBase64String(value));
        var mac = cipher.IsAead ? "" : Mac(keys[0], ivText, valueText);
        // Nothing in it needs escaping, and PHP writes the slashes of base64 as they are too.
        var json = $$"""{"iv":"{{ivText}}","value":"{{valueText}}","mac":"{{mac}}","tag":"{{Convert.ToBase64String(tag)}}"}""";
        return Convert.ToBase64String(Encoding.ASCII.GetBytes(json));
    }

    /// <summary>What was encrypted; null when this is not the work of any of the keys.</summary>
    public byte[]? Decrypt(ReadOnlySpan<char> text)
    {
        var json = new byte[text.Length];
        if (!Convert.TryFromBase64Chars(text, json, out var length))
            return null;
        try
        {
            using var document = JsonDocument.Parse(json.AsMemory(0, length), new JsonDocumentOptions { MaxDepth = 2 });
            return Open(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or CryptographicException)
        {
            // Not JSON, not base64, not text, not padded: whoever wrote it had none of the keys.
            return null;
        }
    }

    private byte[]? Open(JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object || Text(message, "iv") is not { } ivText || Text(message, "value") is not { } valueText || Text(message, "mac") is not { } mac)
            return null;
        var tagText = Text(message, "tag") ?? "";
        var iv = Convert.FromBase64String(ivText);
        if (iv.Length != cipher.IvBytes)
            return null;
        // Each kind leaves the other's proof empty.
        if ((cipher.IsAead ? mac : tagText).Length > 0)
            return null;
        if (cipher.IsAead)
            return OpenGcm(iv, Convert.FromBase64String(valueText), Convert.FromBase64String(tagText));

        if (keys.FirstOrDefault(key => IsMac(mac, key, ivText, valueText)) is not { } key)
            return null;
        using var aes = Aes.Create();
        aes.Key = key;
        return aes.DecryptCbc(Convert.FromBase64String(valueText), iv);
    }

    private byte[]? OpenGcm(byte[] iv, byte[] value, byte[] tag)
    {
        if (tag.Length != TagBytes)
            return null;
        var plain = new byte[value.Length];
        foreach (var key in keys)
        {
            using var gcm = new AesGcm(key, TagBytes);
            try
            {
                gcm.Decrypt(iv, value, tag, plain);
                return plain;
            }
            catch (AuthenticationTagMismatchException)
            {
                // Perhaps the next one's.
            }
        }

        return null;
    }

    private static string? Text(JsonElement message, string name) =>
        message.TryGetProperty(name, out var property) && property.ValueKind == JsonValueKind.String ? property.GetString() : null;

    private static bool IsMac(string mac, byte[] key, string iv, string value) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(mac), Encoding.ASCII.GetBytes(Mac(key, iv, value)));

    private static string Mac(byte[] key, string iv, string value) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(iv + value)));
}
