using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>The cookie's name and flags, and when it is set.</summary>
public sealed class CookieTests(StoreFixture store)
{
    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/set", (Session session) => session["a"] = "1");
        app.MapGet("/get", (Session session) => $"[{session["a"]}]");
        app.MapGet("/logout", (Session session, bool expire) => session.Destroy(expire));
        app.MapGet("/login", (Session session) => session.RegenerateId(deleteOld: true));
    }

    private static void OverHttps(WebApplication app) => app.Use((context, next) =>
    {
        // As a balancer that ends TLS makes it look, with forwarded headers.
        context.Request.Scheme = "https";
        return next(context);
    });

    [Fact]
    public async Task By_default_it_is_bound_to_the_host_and_to_HTTPS()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints, environment: "Production", before: OverHttps);
        using var browser = new Browser(app.Address) { CookieName = "__Host-session" };
        var answer = await browser.GetAsync("/set");
        Assert.Matches("^__Host-session=[A-Za-z0-9_-]{43}; path=/; secure; samesite=lax; httponly$", answer.SetCookie);
        Assert.Equal("no-store", answer.Message.Headers.CacheControl?.ToString());
        var read = await browser.GetAsync("/get");
        Assert.Equal(("[1]", null), (read.Body, read.SetCookie));
        Assert.Null(read.Message.Headers.CacheControl);
    }

    [Theory]
    [InlineData("Development", "session", false)]
    [InlineData("Production", "__Host-session", true)]
    public async Task Over_plain_HTTP_only_development_leaves_the_prefix_out(string environment, string name, bool secure)
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints, environment: environment);
        using var browser = new Browser(app.Address) { CookieName = name };
        var cookie = (await browser.GetAsync("/set")).SetCookie;
        Assert.NotNull(cookie);
        Assert.Equal(secure, cookie.Contains("; secure", StringComparison.Ordinal));
        Assert.Equal("[1]", (await browser.GetAsync("/get")).Body);
    }

    [Fact]
    public async Task Every_setting_of_it_can_come_from_configuration()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints,
            ["Sessions:Cookie:Name=sid", "Sessions:Cookie:SameSite=Strict", "Sessions:Cookie:Domain=example.org", "Sessions:Cookie:Path=/", "Sessions:Cookie:SecurePolicy=SameAsRequest"],
            environment: "Production");
        using var browser = new Browser(app.Address) { CookieName = "sid" };
        Assert.Matches("^sid=[A-Za-z0-9_-]{43}; domain=example.org; path=/; samesite=strict; httponly$", (await browser.GetAsync("/set")).SetCookie);
        Assert.Matches("^sid=; expires=Thu, 01 Jan 1970 00:00:00 GMT; domain=example.org; path=/; samesite=strict; httponly$", (await browser.GetAsync("/logout?expire=true")).SetCookie);
    }

    [Fact]
    public async Task Destroying_expires_it_only_when_asked()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set");
        Assert.Null((await browser.GetAsync("/logout?expire=false")).SetCookie);
        Assert.Equal("[]", (await browser.GetAsync("/get")).Body);
        // The same browser may begin again, with another id.
        var old = browser.Id;
        Assert.NotNull((await browser.GetAsync("/set")).Id);
        Assert.NotEqual(old, browser.Id);
    }

    [Fact]
    public async Task A_login_changes_it_and_the_values_move_along()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set");
        var old = browser.Id;
        Assert.NotNull((await browser.GetAsync("/login")).Id);
        Assert.NotEqual(old, browser.Id);
        Assert.Equal("[1]", (await browser.GetAsync("/get")).Body);
    }

    [Theory]
    [InlineData("Sessions:Cookie:Domain=example.org", "__Host-")]
    [InlineData("Sessions:Cookie:Path=/shop", "__Host-")]
    [InlineData("Sessions:Cookie:SecurePolicy=None", "SecurePolicy is None")]
    [InlineData("Sessions:Cookie:Name=a b", "Sessions:Cookie:Name is \"a b\"")]
    [InlineData("Sessions:IdleTimeout=00:00:00", "Sessions:IdleTimeout is 00:00:00")]
    [InlineData("Sessions:AbsoluteTimeout=00:01:00", "Sessions:AbsoluteTimeout is 00:01:00")]
    [InlineData("Sessions:MaxSize=12", "Sessions:MaxSize is 12")]
    [InlineData("Sessions:OnConflict=7", "Sessions:OnConflict is 7")]
    [InlineData("Sessions:Handler=nosuch", "Sessions:Handler is \"nosuch\", which is not registered (registered: file, redis)")]
    [InlineData("Sessions:Redis:KeyPrefix=" + LongPrefix, "Sessions:Redis:KeyPrefix has 210 characters")]
    [InlineData("Sessions:IdleTimeout=soon", "Sessions:IdleTimeout")]
    public async Task A_setting_that_cannot_work_fails_the_start_and_names_itself(string setting, string message)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => SessionApp.StartAsync(store, Endpoints, [setting]));
        Assert.Contains(message, failure.ToString(), StringComparison.Ordinal);
    }

    private const string LongPrefix =
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
        + "67890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";
}
