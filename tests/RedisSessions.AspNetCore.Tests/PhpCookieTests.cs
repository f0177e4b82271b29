using Microsoft.AspNetCore.Builder;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>The cookie of a store whose ids are PHP's or Laravel's: what they made is taken, what we make is theirs too, and what the store does not know is still nobody's.</summary>
public sealed class PhpCookieTests(StoreFixture store)
{
    private const string Name = "PHPSESSID";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Task<SessionApp> StartAsync(SessionIdFormat format) => SessionApp.StartAsync(
        store, app =>
        {
            app.MapGet("/set", (Session session) => session["a"] = "1");
            app.MapGet("/get", (Session session) => $"[{session["a"]}]");
            app.MapGet("/login", (Session session) => session.RegenerateId(deleteOld: true));
            app.MapGet("/logout", (Session session) => session.Destroy(expireCookie: true));
        },
        [$"Sessions:Cookie:Name={Name}", $"Sessions:Redis:Layout={format}", "Sessions:Redis:KeyPrefix=php-cookie:"]);

    [Theory]
    [InlineData(SessionIdFormat.Php)]
    [InlineData(SessionIdFormat.Laravel)]
    public async Task Ids_are_issued_that_both_of_them_take(SessionIdFormat format)
    {
        await using var app = await StartAsync(format);
        using var browser = new Browser(app.Address) { CookieName = Name };
        // 40 of 62 characters: 238 bits.
        Assert.Matches($"^{Name}=[A-Za-z0-9]{{40}}; path=/; samesite=lax; httponly$", (await browser.GetAsync("/set")).SetCookie);
        Assert.Equal("[1]", (await browser.GetAsync("/get")).Body);
        var before = browser.Id;
        await browser.GetAsync("/login");
        Assert.Matches("^[A-Za-z0-9]{40}$", browser.Id);
        Assert.NotEqual(before, browser.Id);
        Assert.Equal("[1]", (await browser.GetAsync("/get")).Body);
        Assert.StartsWith($"{Name}=; expires=Thu, 01 Jan 1970", (await browser.GetAsync("/logout")).SetCookie, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SessionIdFormat.Php, "0123456789abcdefghijkl")]
    [InlineData(SessionIdFormat.Php, "q9nub2e8q6b2jb1lu3p4s5t6v7")]
    [InlineData(SessionIdFormat.Php, "-,-,-,-,-,AZaz09-,-,-,-,")]
    [InlineData(SessionIdFormat.Laravel, "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0")]
    public async Task An_id_that_PHP_made_is_taken_when_the_store_knows_it_and_only_then(SessionIdFormat format, string id)
    {
        await using var app = await StartAsync(format);
        using var browser = new Browser(app.Address) { CookieName = Name };
        // As PHP sends it: with its commas encoded.
        var cookie = Uri.EscapeDataString(id);
        var unknown = await browser.SendAsync("/set", $"{Name}={cookie}");
        Assert.NotNull(unknown.Id);
        Assert.NotEqual(cookie, unknown.Id);
        Assert.Equal("[]", (await browser.SendAsync("/get", $"{Name}={cookie}")).Body);

        var handler = app.Store;
        var source = (await handler.ReadAsync(Key(unknown.Id!, format), TimeSpan.FromMinutes(20), Token))!;
        var record = new SessionRecord
        {
            Version = new SessionVersion(1), CreatedAt = source.CreatedAt, AbsoluteDeadline = source.AbsoluteDeadline, PayloadFormat = source.PayloadFormat, Payload = source.Payload,
        };
        Assert.IsType<CommitResult.Committed>(await handler.CommitAsync(Key(id, format), SessionVersion.None, record, TimeSpan.FromMinutes(20), Token));
        try
        {
            var known = await browser.SendAsync("/get", $"{Name}={cookie}");
            Assert.Equal(("[1]", null), (known.Body, known.SetCookie));
            Assert.Equal("[1]", (await browser.SendAsync("/get", $"{Name}={id}; {Name}={cookie}")).Body);
            Assert.Equal("[]", (await browser.SendAsync("/get", $"{Name}={id}; {Name}={unknown.Id}")).Body);
        }
        finally
        {
            await handler.DeleteAsync(Key(id, format), Token);
        }
    }

    [Theory]
    [InlineData(SessionIdFormat.Php, "0123456789abcdefghijk")]
    [InlineData(SessionIdFormat.Php, "../../../../../../../../etc/passwd")]
    [InlineData(SessionIdFormat.Php, "0123456789abcdefghijkl%00")]
    [InlineData(SessionIdFormat.Php, "0123456789abcdefghijkl%0a")]
    [InlineData(SessionIdFormat.Php, "0123456789_abcdefghijkl")]
    [InlineData(SessionIdFormat.Laravel, "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T")]
    [InlineData(SessionIdFormat.Laravel, "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9,0")]
    public async Task What_they_would_not_take_never_reaches_the_store(SessionIdFormat format, string cookie)
    {
        await using var app = await StartAsync(format);
        using var browser = new Browser(app.Address) { CookieName = Name };
        foreach (var value in (string[])[cookie, new string('a', 257), new string('%', 4000)])
            Assert.Equal("[]", (await browser.SendAsync("/get", $"{Name}={value}")).Body);
        Assert.Equal(0, app.Store.Reads);
    }

    private static SessionKey Key(string id, SessionIdFormat format) =>
        SessionId.TryParse(id, format, out var parsed) ? SessionKey.From(parsed) : throw new ArgumentException("no id", nameof(id));
}
