using System.Text;
using System.Text.Json;

namespace RedisSessions.AspNetCore.Tests.Attacks;

/// <summary>Cookies encrypted as Laravel does it, after they went through the hands of somebody who has no key.</summary>
public sealed class EncryptedCookieTests
{
    private const string Name = "laravel_session";
    private const string Value = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
    private const string Key = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    [Fact]
    public void An_encrypted_cookie_whose_MAC_is_wrong_in_any_character_is_no_session()
    {
        var cookie = Cookie();
        var json = Json(cookie.Write(Name, Value));
        var at = json.IndexOf("\"mac\":\"", StringComparison.Ordinal) + 7;
        for (var i = at; i < at + 64; i++)
            Assert.Null(cookie.Read(Name, Base64(json[..i] + (json[i] == '0' ? '1' : '0') + json[(i + 1)..])));
        Assert.Null(cookie.Read(Name, Base64(json[..at] + json[at..(at + 64)].ToUpperInvariant() + json[(at + 64)..])));
        Assert.Null(cookie.Read(Name, Base64(json[..at] + json[(at + 64)..])));
        Assert.Equal(Value, cookie.Read(Name, Base64(json)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"iv":1,"value":2,"mac":3}""")]
    [InlineData("""{"iv":"AAAAAAAAAAAAAAAAAAAAAA==","value":"AA==","mac":"\ud800","tag":""}""")]
    [InlineData("""{"iv":"AAAAAAAAAAAAAAAAAAAAAA==","value":["AA=="],"mac":"","tag":""}""")]
    [InlineData("""{"iv":"!","value":"!","mac":"!","tag":"!"}""")]
    [InlineData("""{"iv":{"iv":{"iv":{}}}}""")]
    public void An_encrypted_cookie_that_is_malformed_is_no_session(string json)
    {
        foreach (var cipher in (string[])["AES-256-CBC", "AES-256-GCM"])
            Assert.Null(Cookie(cipher).Read(Name, Base64(json)));
    }

    [Theory]
    [InlineData("AES-256-CBC", false)]
    [InlineData("AES-256-CBC", true)]
    [InlineData("AES-256-GCM", false)]
    public void No_mutated_encrypted_cookie_throws_or_is_another_session(string cipher, bool serialize)
    {
        var cookie = Cookie(cipher, serialize);
        var good = cookie.Write(Name, Value);
        var json = Json(good);
        var random = new Random(20260728);
        using var original = JsonDocument.Parse(json);
        var proofs = original.RootElement.EnumerateObject().Select(static part => (part.Name, Value: part.Value.GetString()!)).Where(static part => part.Value.Length > 0).ToArray();
        var same = 0;
        for (var run = 0; run < 100_000; run++)
        {
            // The text as a browser would send it, what it is base64 of, or what that holds base64 of: each is somewhere an attacker can reach.
            var mutated = (run % 3) switch
            {
                0 => Mutated(good, random),
                1 => Base64(Mutated(json, random)),
                _ => Base64(MutatedInside(json, random)),
            };
            if (cookie.Read(Name, mutated) is { } read)
            {
                // Another spelling of the very message: a blank, or the name of a tag that is empty anyway. What is authenticated is untouched.
                Assert.Equal(Value, read);
                using var message = JsonDocument.Parse(Json(Uri.UnescapeDataString(mutated)));
                Assert.All(proofs, proof => Assert.Equal(Bytes(proof.Value), Bytes(message.RootElement.GetProperty(proof.Name).GetString()!)));
                same++;
            }
        }

        Assert.InRange(same, 0, 5_000);
        Assert.Equal(Value, cookie.Read(Name, good));

        // The MAC is in hex, and the rest base64, whose last character has bits that say nothing.
        static byte[] Bytes(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower) ? Convert.FromHexString(text) : Convert.FromBase64String(text);
    }

    [Fact]
    public void What_the_key_has_encrypted_for_something_else_is_no_session()
    {
        // Laravel encrypts other things with the same key: such a value, moved into the cookie, is none.
        var encrypter = new LaravelEncrypter(new LaravelCipher(32, IsAead: false), [Convert.FromBase64String(Key["base64:".Length..])]);
        foreach (var serialize in (bool[])[false, true])
        {
            var cookie = Cookie(serialize: serialize);
            foreach (var plain in (string[])["", "x", Value, "s:40:\"" + Value + "\";", "s:81:\"x\";", "s:-1:\"\";", "s:1:\"", "\"", "O:8:\"stdClass\":0:{}", new string('0', 40) + "|" + Value])
                Assert.Null(cookie.Read(Name, encrypter.Encrypt(Encoding.UTF8.GetBytes(plain))));
        }
    }

    private static LaravelCookie Cookie(string cipher = "AES-256-CBC", bool serialize = false) =>
        LaravelCookie.Create(new LaravelCookieOptions { AppKey = Key, Cipher = cipher, Serialize = serialize })!;

    private static string Json(string cookie) => Encoding.UTF8.GetString(Convert.FromBase64String(cookie));

    private static string Base64(string json) => Convert.ToBase64String(Encoding.UTF8.GetBytes(json));

    private static string MutatedInside(string json, Random random)
    {
        using var document = JsonDocument.Parse(json);
        var parts = document.RootElement.EnumerateObject().ToDictionary(static part => part.Name, static part => part.Value.GetString()!);
        var name = parts.Keys.ElementAt(random.Next(parts.Count));
        if (name == "mac" || parts[name].Length == 0)
        {
            parts[name] = random.Next(3) == 0 ? "" : Mutated(parts[name].PadRight(4, 'A'), random);
        }
        else
        {
            var bytes = Convert.FromBase64String(parts[name]);
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            parts[name] = Convert.ToBase64String(bytes[..(random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length)]);
        }

        return JsonSerializer.Serialize(parts);
    }

    private static string Mutated(string text, Random random)
    {
        var mutated = new StringBuilder(text);
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(mutated.Length);
            switch (random.Next(6))
            {
                case 0: mutated[at] = (char)random.Next(1, 256); break;
                case 1: mutated.Remove(at, Math.Min(random.Next(1, 8), mutated.Length - at)).Append('='); break;
                case 2: mutated.Insert(at, (char)random.Next(33, 127)); break;
                case 3: mutated.Insert(at, "%00%u{}[]\\\"".AsSpan(random.Next(8), 2)); break;
                case 4: mutated.Append('A', random.Next(1, 5000)); break;
                default: mutated[at] = char.IsLower(mutated[at]) ? char.ToUpperInvariant(mutated[at]) : char.ToLowerInvariant(mutated[at]); break;
            }
        }

        // Twice the same letter is turned back.
        return mutated.ToString() is var result && result == text ? text[1..] : result;
    }
}
