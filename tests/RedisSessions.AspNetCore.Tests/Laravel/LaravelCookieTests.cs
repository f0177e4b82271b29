using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;

namespace RedisSessions.AspNetCore.Tests.Laravel;

/// <summary>Cookies that Laravel encrypted are read, what we encrypt is what it would, and nothing else is a session.</summary>
public sealed class LaravelCookieTests(StoreFixture store)
{
    private const string Name = "laravel_session";
    private const string Value = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
    private const string Key = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const string OtherKey = "base64:/wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    public static TheoryData<LaravelVector> Vectors => [.. LaravelVector.All];

    [Theory]
    [MemberData(nameof(Vectors))]
    public void What_Laravel_wrote_is_read(LaravelVector vector)
    {
        Assert.Equal(vector.Value, Cookie(vector).Read(vector.Name, vector.Cookie));
        Assert.Null(Cookie(vector).Read(vector.Name + "2", vector.Cookie));
        Assert.Null(Cookie(vector with { Serialize = !vector.Serialize }).Read(vector.Name, vector.Cookie));
        Assert.Null(Cookie(vector with { Cipher = vector.Cipher.EndsWith("CBC", StringComparison.Ordinal) ? vector.Cipher[..^3] + "GCM" : vector.Cipher[..^3] + "CBC" }).Read(vector.Name, vector.Cookie));
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_previous_key_reads_and_does_not_write(LaravelVector vector)
    {
        var newKey = "base64:" + Convert.ToBase64String(new byte[vector.Cipher.Contains("256", StringComparison.Ordinal) ? 32 : 16]);
        Assert.Null(Cookie(vector with { Key = newKey }).Read(vector.Name, vector.Cookie));
        var both = Cookie(vector with { Key = newKey }, newKey, vector.Key);
        Assert.Equal(vector.Value, both.Read(vector.Name, vector.Cookie));
        var written = both.Write(vector.Name, vector.Value);
        Assert.Null(Cookie(vector).Read(vector.Name, written));
        Assert.Equal(vector.Value, Cookie(vector with { Key = newKey }).Read(vector.Name, written));
    }

    [Fact]
    public void Vectors_name_what_wrote_them_and_hold_every_cipher() =>
        Assert.Equal(
            from cipher in (string[])["AES-128-CBC", "AES-128-GCM", "AES-256-CBC", "AES-256-GCM"] from serialize in (bool[])[false, true] select (cipher, serialize),
            LaravelVector.All.Select(static vector => (vector.Cipher, vector.Serialize)).Distinct().Order());

    [Fact]
    public async Task Laravel_reads_what_we_write_and_we_read_what_it_writes()
    {
        using var laravel = Php.StartLaravel();
        foreach (var vector in LaravelVector.All)
        {
            var mine = Uri.EscapeDataString(Cookie(vector).Write(vector.Name, vector.Value));
            Assert.Equal(vector.Value, await laravel.AskAsync(new("read", vector.Cipher, vector.Key, vector.Serialize, vector.Name, mine)));
            // The other side is as strict as this one: the name is part of it.
            Assert.Null(await laravel.AskAsync(new("read", vector.Cipher, vector.Key, vector.Serialize, vector.Name + "2", mine)));
            var theirs = await laravel.AskAsync(new("write", vector.Cipher, vector.Key, vector.Serialize, vector.Name, vector.Value));
            Assert.Equal(vector.Value, Cookie(vector).Read(vector.Name, theirs));
        }
    }

    [Fact]
    public void A_MAC_that_is_wrong_in_any_character_is_no_session()
    {
        var cookie = Cookie(new(Key: Key));
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
    public void What_is_malformed_is_no_session(string json)
    {
        foreach (var cipher in (string[])["AES-256-CBC", "AES-256-GCM"])
            Assert.Null(Cookie(new(cipher, Key)).Read(Name, Base64(json)));
    }

    [Theory]
    [InlineData("AES-256-CBC", false)]
    [InlineData("AES-256-CBC", true)]
    [InlineData("AES-256-GCM", false)]
    public void A_hundred_thousand_mutated_cookies_are_no_session(string cipher, bool serialize)
    {
        var cookie = Cookie(new(cipher, Key, serialize));
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
    public void What_the_key_itself_encrypted_and_is_no_cookie_of_this_name_is_no_session()
    {
        // Laravel encrypts other things with the same key: such a value, moved into the cookie, is none.
        var encrypter = new LaravelEncrypter(new LaravelCipher(32, IsAead: false), [Convert.FromBase64String(Key["base64:".Length..])]);
        foreach (var serialize in (bool[])[false, true])
        {
            var cookie = Cookie(new(Key: Key, Serialize: serialize));
            foreach (var plain in (string[])["", "x", Value, "s:40:\"" + Value + "\";", "s:81:\"x\";", "s:-1:\"\";", "s:1:\"", "\"", "O:8:\"stdClass\":0:{}", new string('0', 40) + "|" + Value])
                Assert.Null(cookie.Read(Name, encrypter.Encrypt(Encoding.UTF8.GetBytes(plain))));
        }
    }

    [Theory]
    [InlineData("Sessions:Cookie:Laravel:AppKey=base64:c2hvcnQ=", "Sessions:Cookie:Laravel:AppKey is no key for AES-256-CBC: it must be 32 bytes")]
    [InlineData("Sessions:Cookie:Laravel:AppKey=base64:???secret???", "Sessions:Cookie:Laravel:AppKey is no key")]
    [InlineData("Sessions:Cookie:Laravel:AppKey=", "Sessions:Cookie:Laravel:AppKey is no key")]
    [InlineData("Sessions:Cookie:Laravel:PreviousKeys:0=" + Key, "PreviousKeys are set and AppKey is not")]
    [InlineData("Sessions:Cookie:Laravel:AppKey=" + Key + "|Sessions:Cookie:Laravel:PreviousKeys:0=???secret???", "Sessions:Cookie:Laravel:PreviousKeys:0 is no key")]
    [InlineData("Sessions:Cookie:Laravel:AppKey=" + Key + "|Sessions:Cookie:Laravel:Cipher=AES-128-CBC", "it must be 16 bytes")]
    [InlineData("Sessions:Cookie:Laravel:AppKey=" + Key, "Sessions:Cookie:Laravel:AppKey is set, and the sessions of this handler have ids that Laravel does not take")]
    [InlineData("Sessions:Cookie:Laravel:AppKey=" + Key + "|Sessions:Cookie:Laravel:Cipher=rot13", "Sessions:Cookie:Laravel:Cipher is \"rot13\"")]
    public async Task A_setting_that_cannot_work_fails_the_start_and_tells_no_key(string settings, string message)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => SessionApp.StartAsync(store, static _ => { }, settings.Split('|')));
        Assert.Contains(message, failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key["base64:".Length..], failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_lives_in_an_encrypted_cookie()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/set", (Session session) => session["a"] = "1");
            app.MapGet("/get", (Session session) => $"[{session["a"]}]");
            app.MapGet("/login", (Session session) => session.RegenerateId(deleteOld: true));
        }, 
        [
            $"Sessions:Cookie:Name={Name}", $"Sessions:Cookie:Laravel:AppKey={Key}", $"Sessions:Cookie:Laravel:PreviousKeys:0={OtherKey}",
            "Sessions:Redis:Layout=Laravel", "Sessions:Redis:KeyPrefix=laravel_cache:",
        ]);
        using var browser = new Browser(app.Address) { CookieName = Name };
        await browser.GetAsync("/set");
        var cookie = Cookie(new(Key: Key));
        var id = cookie.Read(Name, browser.Id);
        Assert.NotNull(id);
        Assert.Matches("^[A-Za-z0-9]{40}$", id);
        Assert.Equal("[1]", (await browser.GetAsync("/get")).Body);

        // Another encryption of the same id is the same session; the id in clear is none.
        var again = Uri.EscapeDataString(cookie.Write(Name, id));
        Assert.NotEqual(browser.Id, again);
        Assert.Equal("[1]", (await browser.SendAsync("/get", $"{Name}={again}")).Body);
        Assert.Equal("[1]", (await browser.SendAsync("/get", $"{Name}={again}; {Name}={browser.Id}")).Body);
        Assert.Equal("[1]", (await browser.SendAsync("/get", $"{Name}={Uri.EscapeDataString(Cookie(new(Key: OtherKey)).Write(Name, id))}")).Body);
        Assert.Equal("[]", (await browser.SendAsync("/get", $"{Name}={id}")).Body);
        Assert.Equal("[]", (await browser.SendAsync("/get", $"{Name}={again}; {Name}={id}")).Body);

        await browser.GetAsync("/login");
        Assert.NotEqual(id, cookie.Read(Name, browser.Id));
        Assert.Equal("[1]", (await browser.GetAsync("/get")).Body);
        Assert.Equal("[]", (await browser.SendAsync("/get", $"{Name}={again}")).Body);
    }

    private static LaravelCookie Cookie(LaravelVector vector, params string[] keys)
    {
        var options = new LaravelCookieOptions { AppKey = keys.FirstOrDefault() ?? vector.Key, Cipher = vector.Cipher, Serialize = vector.Serialize };
        foreach (var key in keys.Skip(1))
            options.PreviousKeys.Add(key);
        return LaravelCookie.Create(options)!;
    }

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
