using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using static RedisSessions.AspNetCore.Tests.Import.FrameworkApp;

namespace RedisSessions.AspNetCore.Tests.Import;

/// <summary>Visitors who come with a cookie of the framework's session keep it.</summary>
public sealed class ImportTests(StoreFixture store)
{
    [Fact]
    public async Task The_values_are_there_our_cookie_comes_the_old_one_goes_and_so_does_the_old_record()
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        Assert.NotNull(before.Cache.Record);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        // Reading is enough.
        var answer = await browser.SendAsync("/get?key=user", old);
        Assert.Equal((HttpStatusCode.OK, "ada"), (answer.Status, answer.Body));
        Assert.NotNull(answer.Id);
        Assert.True(Expires(answer));
        Assert.Null(before.Cache.Record);

        browser.Id = answer.Id;
        var next = await browser.GetAsync("/keys");
        Assert.Equal(("cart.lines,user", null, false), (next.Body, next.SetCookie, Expires(next)));
        Assert.Equal("3", (await browser.GetAsync("/path?key=cart.lines")).Body);
        Assert.Equal((1, 1), (before.Cache.Reads, before.Cache.Removals));
    }

    [Fact]
    public async Task Twenty_requests_at_once_meet_in_one_session_and_lose_nothing()
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        var answers = await Task.WhenAll(Enumerable.Range(10, 20).Select(i => browser.SendAsync($"/set?key=k{i}", old)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        browser.Id = Assert.Single(answers.Select(answer => answer.Id).Distinct());
        Assert.NotNull(browser.Id);
        Assert.Equal(
            "cart.lines," + string.Join(',', Enumerable.Range(10, 20).Select(i => $"k{i}")) + ",user",
            (await browser.GetAsync("/keys")).Body);
        Assert.Null(before.Cache.Record);
    }

    [Fact]
    public async Task A_read_only_endpoint_sees_the_values_and_leaves_everything_as_it_is()
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        var answer = await browser.SendAsync("/readonly?key=user", old);
        Assert.Equal(("ada", null, false), (answer.Body, answer.SetCookie, Expires(answer)));
        Assert.Equal(0, app.Store.Commits);
        Assert.NotNull(before.Cache.Record);
    }

    [Fact]
    public async Task The_old_cookie_goes_only_with_a_response_that_brings_the_new_one()
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        // This answer gets lost.
        await browser.SendAsync("/get?key=user", old);
        foreach (var path in (string[])["/get?key=user", "/readonly?key=user"])
        {
            var again = await browser.SendAsync(path, old);
            Assert.Equal(("ada", null, false), (again.Body, again.SetCookie, Expires(again)));
        }

        var write = await browser.SendAsync("/set?key=more", old);
        Assert.NotNull(write.Id);
        Assert.True(Expires(write));
        browser.Id = write.Id;
        Assert.Equal("cart.lines,more,user", (await browser.GetAsync("/keys")).Body);
    }

    [Fact]
    public async Task A_cookie_that_is_none_is_ignored_and_nothing_is_asked_for_it()
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        using var stranger = new FrameworkApp(store);
        var foreign = await stranger.VisitAsync(Ada);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        string[] cookies =
        [
            foreign, old[..^4], old[..30] + (old[30] == 'A' ? 'B' : 'A') + old[31..], ".AspNetCore.Session=", ".AspNetCore.Session=not+base64!",
            ".AspNetCore.Session=" + new string('A', 20_000), ".AspNetCore.Session=" + Guid.NewGuid(), old.Replace("Session=", "Session2=", StringComparison.Ordinal),
            // Protected by the same keys, but not a session's: too short, and for another purpose.
            ".AspNetCore.Session=" + Uri.EscapeDataString(Protect(before.Keys, "SessionMiddleware", "short")),
            ".AspNetCore.Session=" + Uri.EscapeDataString(Protect(before.Keys, "Something else", before.Cache.Key!)),
        ];
        foreach (var cookie in cookies)
        {
            var answer = await browser.SendAsync("/get?key=user", cookie);
            Assert.Equal((HttpStatusCode.OK, "none", null, false), (answer.Status, answer.Body, answer.SetCookie, Expires(answer)));
        }

        Assert.Equal((0, 0), (before.Cache.Reads, app.Store.Reads));
        // Made by the test as the framework makes it: what is refused above is refused for its reason.
        var mine = ".AspNetCore.Session=" + Uri.EscapeDataString(Protect(before.Keys, "SessionMiddleware", before.Cache.Key!));
        Assert.Equal("ada", (await browser.SendAsync("/get?key=user", mine)).Body);
    }

    [Fact]
    public async Task A_cookie_that_only_looks_like_the_old_one_is_none_and_two_different_ones_are_none()
    {
        using var before = new FrameworkApp(store, "__Host-shop");
        var old = await before.VisitAsync(Ada);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        string[] cookies =
        [
            old.Replace("Host", "host", StringComparison.Ordinal), old.ToUpperInvariant(), "\u00e2\u0080\u0080" + old, $"a=b, {old}", $"a=b,{old}",
            $"{old}; {old[..^4]}", $"{old[..^4]}; {old}", $"{old}; __Host-shop={new string('A', 20_000)}",
        ];
        foreach (var cookie in cookies)
        {
            var answer = await browser.SendAsync("/get?key=user", cookie);
            Assert.Equal(("none", null), (answer.Body, answer.SetCookie));
        }

        Assert.Equal(0, before.Cache.Reads);
        Assert.Equal("ada", (await browser.SendAsync("/get?key=user", $"{old};\t{old}; a=b")).Body);
    }

    [Fact]
    public async Task A_session_that_has_expired_there_is_a_new_one_here()
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        before.Cache.Remove(before.Cache.Key!);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        var read = await browser.SendAsync("/get?key=user", old);
        Assert.Equal(("none", null), (read.Body, read.SetCookie));
        Assert.Equal(0, app.Store.Commits);
        var write = await browser.SendAsync("/set?key=a", old);
        Assert.True(Expires(write));
        // Not the id that the old cookie would lead to: what is not there is not adopted.
        Assert.NotEqual(Derived(old), write.Id);
    }

    [Fact]
    public async Task A_login_in_the_request_that_imports_leaves_the_old_cookies_id_dead()
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        var login = await browser.SendAsync("/login", old);
        Assert.NotNull(login.Id);
        Assert.NotEqual(Derived(old), login.Id);
        Assert.True(Expires(login));
        foreach (var cookie in (string[])[old, $"session={Derived(old)}"])
        {
            Assert.Equal("none", (await browser.SendAsync("/get?key=user", cookie)).Body);
            Assert.Equal(HttpStatusCode.Conflict, (await browser.SendAsync("/set?key=a", cookie)).Status);
        }

        browser.Id = login.Id;
        Assert.Equal("ada", (await browser.GetAsync("/get?key=user")).Body);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task After_a_logout_the_old_cookie_brings_nothing_back(bool atOnce, bool expire)
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        if (!atOnce)
            await browser.SendAsync("/get?key=user", old);
        var logout = await browser.SendAsync($"/logout?expire={expire}", old);
        Assert.Equal((HttpStatusCode.OK, null, expire), (logout.Status, logout.Id, Expires(logout)));
        // Also when our own closed record has gone, there is nothing left to import.
        Assert.Null(before.Cache.Record);
        Assert.Equal("none", (await browser.SendAsync("/get?key=user", old)).Body);
        Assert.Equal("none", (await browser.SendAsync("/get?key=user", $"session={Derived(old)}")).Body);
    }

    [Fact]
    public async Task A_cookie_of_ours_counts_more_than_an_old_one()
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?key=a");
        Assert.Equal("a", (await browser.SendAsync("/keys", $"{old}; session={browser.Id}")).Body);
        Assert.NotNull(before.Cache.Record);
    }

    [Fact]
    public async Task The_old_cookie_may_have_a_name_of_its_own()
    {
        using var before = new FrameworkApp(store, "shop");
        var old = await before.VisitAsync(Ada);
        Assert.StartsWith("shop=", old, StringComparison.Ordinal);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        var answer = await browser.SendAsync("/get?key=user", old);
        Assert.Equal("ada", answer.Body);
        Assert.True(Expires(answer, "shop"));
    }

    [Fact]
    public void Importing_without_a_cache_fails_the_start_and_says_what_is_missing()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Services.AddRedisSessions().Import(ImportFrom.AspNetCoreSession());
        var app = builder.Build();
        Assert.Contains("AddStackExchangeRedisCache", Assert.Throws<InvalidOperationException>(() => app.UseRedisSessions()).Message, StringComparison.Ordinal);
    }
}
