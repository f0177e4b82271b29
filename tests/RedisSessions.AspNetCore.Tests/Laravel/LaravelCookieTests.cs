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
}
