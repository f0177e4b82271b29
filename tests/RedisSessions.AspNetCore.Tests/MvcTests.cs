using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>MVC and Razor Pages over the session: TempData, and what an endpoint does with the session.</summary>
public sealed class MvcTests(StoreFixture store)
{
    [Fact]
    public async Task TempData_survives_exactly_one_redirect()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        var answer = await browser.GetAsync("/temp/save");
        Assert.Equal((HttpStatusCode.Found, "/temp/show"), (answer.Status, answer.Message.Headers.Location?.OriginalString));
        Assert.NotNull(answer.Id);
        Assert.Equal("[saved]", (await browser.GetAsync("/temp/show")).Body);
        Assert.Equal("[]", (await browser.GetAsync("/temp/show")).Body);
    }

    [Fact]
    public async Task TempData_that_nobody_looks_at_stays_and_kept_TempData_too()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        await browser.GetAsync("/temp/save");
        Assert.Equal("something else", (await browser.GetAsync("/temp/other")).Body);
        Assert.Equal("[saved]", (await browser.GetAsync("/temp/peek")).Body);
        Assert.Equal("[saved]", (await browser.GetAsync("/temp/show")).Body);
        Assert.Equal("[]", (await browser.GetAsync("/temp/peek")).Body);
    }

    [Fact]
    public async Task Looking_for_TempData_that_is_not_there_makes_no_session_and_writes_nothing()
    {
        await using var app = await StartAsync();
        using var stranger = app.NewBrowser();
        var answer = await stranger.GetAsync("/temp/show");
        Assert.Equal((HttpStatusCode.OK, "[]", null), (answer.Status, answer.Body, answer.SetCookie));
        Assert.Equal(0, app.Store.Commits);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set");
        for (var i = 0; i < 3; i++)
            Assert.Equal("[]", (await browser.GetAsync("/temp/show")).Body);
        Assert.Equal(1, app.Store.Commits);
    }

    [Fact]
    public async Task A_read_only_endpoint_may_look_for_TempData_and_fails_only_when_it_would_take_some()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        Assert.Equal("[]", (await browser.GetAsync("/readers/show")).Body);
        await browser.GetAsync("/set");
        Assert.Equal("[]", (await browser.GetAsync("/readers/show")).Body);
        await browser.GetAsync("/temp/save");
        Assert.Equal(HttpStatusCode.InternalServerError, (await browser.GetAsync("/readers/show")).Status);
        await app.Logs.HaveAsync("change its SessionAccess to Optimistic to write");
        // Not lost by that.
        Assert.Equal("[saved]", (await browser.GetAsync("/temp/show")).Body);
    }

    [Fact]
    public async Task An_endpoint_that_looks_for_TempData_can_end_the_session()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set");
        var answer = await browser.GetAsync("/temp/logout");
        Assert.Equal((HttpStatusCode.OK, "[]"), (answer.Status, answer.Body));
        Assert.StartsWith("session=;", answer.SetCookie, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/temp/access", "False")]
    [InlineData("/readers/access", "True")]
    [InlineData("/readers/write-access", "False")]
    [InlineData("/readers/no-access", "none")]
    [InlineData("/readonly-page", "[nothing] True")]
    [InlineData("/group/by-convention", "True")]
    [InlineData("/group/own", "False")]
    public async Task Access_is_an_attribute_of_controllers_actions_and_pages_and_a_convention_of_groups(string path, string expected)
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        Assert.Equal(expected, (await browser.GetAsync(path)).Body.Trim());
    }

    [Theory]
    [InlineData("ReadOnly", "True")]
    [InlineData("None", "none")]
    [InlineData("Optimistic", "False")]
    public async Task What_says_nothing_has_the_default_access(string access, string expected)
    {
        await using var app = await StartAsync($"Sessions:DefaultAccess={access}");
        using var browser = app.NewBrowser();
        Assert.Equal(expected, (await browser.GetAsync("/temp/access")).Body);
        Assert.Equal("False", (await browser.GetAsync("/readers/write-access")).Body);
    }

    private Task<SessionApp> StartAsync(params string[] settings) => SessionApp.StartAsync(
        store,
        app =>
        {
            app.MapControllers();
            app.MapRazorPages();
            app.MapGet("/set", (HttpContext context) => context.Session.SetString("a", "1")).WithSessionAccess(SessionAccess.Optimistic);
            var group = app.MapGroup("/group").WithSessionAccess(SessionAccess.ReadOnly);
            group.MapGet("/by-convention", (Session session) => $"{session.IsReadOnly}");
            group.MapGet("/own", (Session session) => $"{session.IsReadOnly}").WithSessionAccess(SessionAccess.Optimistic);
        },
        settings,
        configure: builder =>
        {
            builder.Services.AddControllersWithViews().AddSessionStateTempDataProvider();
            builder.Services.AddRazorPages().AddSessionStateTempDataProvider();
        });
}

[Route("temp")]
public sealed class TempController : Controller
{
    [HttpGet("save")]
    public IActionResult Save()
    {
        TempData["message"] = "saved";
        return Redirect("/temp/show");
    }

    [HttpGet("show")]
    public string Show() => $"[{TempData["message"]}]";

    [HttpGet("peek")]
    public string Peek() => $"[{TempData.Peek("message")}]";

    [HttpGet("other")]
    public IActionResult Other() => Content("something else");

    [HttpGet("logout")]
    public string Logout()
    {
        var message = TempData["message"];
        HttpContext.GetSession().Destroy(expireCookie: true);
        return $"[{message}]";
    }

    [HttpGet("access")]
    public string Access() => ReadersController.AccessOf(HttpContext);
}

[Route("readers")]
[SessionAccess(SessionAccess.ReadOnly)]
public sealed class ReadersController : Controller
{
    [HttpGet("show")]
    public string Show() => $"[{TempData["message"]}]";

    [HttpGet("access")]
    public string Access() => AccessOf(HttpContext);

    [HttpGet("write-access")]
    [SessionAccess(SessionAccess.Optimistic)]
    public string WriteAccess() => AccessOf(HttpContext);

    [HttpGet("no-access")]
    [SessionAccess(SessionAccess.None)]
    public string NoAccess() => AccessOf(HttpContext);

    internal static string AccessOf(HttpContext context)
    {
        try
        {
            return $"{context.GetSession().IsReadOnly}";
        }
        catch (InvalidOperationException)
        {
            return "none";
        }
    }
}
