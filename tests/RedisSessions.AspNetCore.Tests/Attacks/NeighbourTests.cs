using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;

namespace RedisSessions.AspNetCore.Tests.Attacks;

/// <summary>Sites that share a domain, a browser, a Redis or a proxy: what is whose, and how the cookie looks from where.</summary>
public sealed class NeighbourTests(StoreFixture store)
{
    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/login", (Session session, int user) =>
        {
            session["account.current_user_id"] = user;
            session.RegenerateId(deleteOld: true);
        });
        app.MapGet("/user", (Session session) => $"[{session["account.current_user_id"]}]");
        app.MapGet("/everyone", async (ISessionDirectory directory, string user) => $"{(await directory.ListAsync(user)).Count}");
        app.MapGet("/own", (Session session) =>
        {
            foreach (var key in new[] { "_flashy", "session", "id", "account._session", "flash", "__Host-session", "version" })
                session[key] = key;
            return string.Join(' ', session.All().Keys.Order(StringComparer.Ordinal));
        });
    }

    [Fact]
    public async Task Two_applications_over_one_Redis_have_each_their_own_sessions_and_users()
    {
        await using var shop = await SessionApp.StartAsync(store, Endpoints, ["Sessions:Redis:KeyPrefix=shop:"]);
        await using var forum = await SessionApp.StartAsync(store, Endpoints, ["Sessions:Redis:KeyPrefix=forum:"]);
        using var browser = shop.NewBrowser();
        await browser.GetAsync("/login?user=11");
        // One domain: the browser sends the shop's cookie to the forum too.
        using var atForum = forum.NewBrowser();
        Assert.Equal("[]", (await atForum.SendAsync("/user", $"session={browser.Id}")).Body);
        Assert.Equal("1", (await browser.GetAsync("/everyone?user=11")).Body);
        Assert.Equal("0", (await atForum.GetAsync("/everyone?user=11")).Body);
        Assert.Equal("[11]", (await browser.GetAsync("/user")).Body);
    }

    [Fact]
    public async Task Two_applications_on_one_host_with_names_of_their_own_leave_each_others_cookies_alone()
    {
        await using var shop = await SessionApp.StartAsync(store, Endpoints, ["Sessions:Cookie:Name=shop", "Sessions:Cookie:SecurePolicy=None"]);
        await using var forum = await SessionApp.StartAsync(store, Endpoints, ["Sessions:Cookie:Name=forum", "Sessions:Cookie:SecurePolicy=None"]);
        using var atShop = new Browser(shop.Address) { CookieName = "shop" };
        using var atForum = new Browser(forum.Address) { CookieName = "forum" };
        await atShop.GetAsync("/login?user=1");
        await atForum.GetAsync("/login?user=2");
        var both = $"shop={atShop.Id}; forum={atForum.Id}";
        Assert.Equal("[1]", (await atShop.SendAsync("/user", both)).Body);
        Assert.Equal("[2]", (await atForum.SendAsync("/user", both)).Body);
    }

    [Theory]
    [InlineData("https", true)]
    [InlineData("http", false)]
    public async Task Behind_a_proxy_that_ends_TLS_the_cookie_is_what_the_browser_s_side_allows(string scheme, bool secure)
    {
        await using var app = await SessionApp.StartAsync(
            store, Endpoints, ["Sessions:Cookie:Name=sid", "Sessions:Cookie:SecurePolicy=SameAsRequest"], environment: "Production",
            before: app => app.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedProto }));
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(app.Address, "/login?user=1"));
        request.Headers.Add("X-Forwarded-Proto", scheme);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.Equal(secure, cookie.Contains("; secure", StringComparison.Ordinal));
        Assert.Contains("; httponly", cookie, StringComparison.Ordinal);
        Assert.Contains("; samesite=lax", cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_production_the_default_cookie_is_secure_even_where_the_proxy_says_nothing()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints, environment: "Production");
        using var browser = new Browser(app.Address) { CookieName = "__Host-session" };
        Assert.Matches("; path=/; secure; samesite=lax; httponly$", (await browser.GetAsync("/login?user=1")).SetCookie);
    }

    [Fact]
    public async Task A_users_own_keys_that_look_like_ours_are_the_users()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        var answer = await browser.GetAsync("/own");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("__Host-session _flashy account flash id session version", answer.Body);
    }
}
