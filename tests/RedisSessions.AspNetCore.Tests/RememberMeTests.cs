using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>"Remember me": a session with a lifetime of its own, and a cookie that outlives the browser and slides with it.</summary>
public sealed class RememberMeTests(StoreFixture store)
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/login", (Session session, bool remember) =>
        {
            session["account.current_user_id"] = 42;
            session.RegenerateId(deleteOld: true);
            if (remember)
                (session.IdleTimeout, session.AbsoluteTimeout, session.IsPersistent) = (TimeSpan.FromDays(30), TimeSpan.FromDays(90), true);
        });
        app.MapGet("/user", (Session session) => $"[{session["account.current_user_id"]}]");
        app.MapGet("/look", (Session session) => $"[{session["account.current_user_id"]}]").WithSessionAccess(SessionAccess.ReadOnly);
        app.MapGet("/forget", (Session session) => session.IsPersistent = false);
    }

    [Fact]
    public async Task The_cookie_lives_as_long_as_the_session_and_slides_with_it()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        AssertLives((await browser.GetAsync("/login?remember=true")).SetCookie, TimeSpan.FromDays(30));
        var id = browser.Id;
        _time.Advance(TimeSpan.FromDays(2));
        Assert.Null((await browser.GetAsync("/user")).SetCookie);
        _time.Advance(TimeSpan.FromDays(2));
        Assert.Null((await browser.GetAsync("/look")).SetCookie);
        var slid = await browser.GetAsync("/user");
        Assert.Equal("[42]", slid.Body);
        AssertLives(slid.SetCookie, TimeSpan.FromDays(30));
        Assert.Equal("no-store", slid.Message.Headers.CacheControl?.ToString());
        Assert.Equal(id, browser.Id);
        Assert.Null((await browser.GetAsync("/user")).SetCookie);
    }

    [Fact]
    public async Task Near_its_absolute_end_the_cookie_promises_no_more_than_is_left()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        await browser.GetAsync("/login?remember=true");
        for (var days = 0; days < 80; days += 20)
        {
            _time.Advance(TimeSpan.FromDays(20));
            Assert.Equal("[42]", (await browser.GetAsync("/user")).Body);
        }

        _time.Advance(TimeSpan.FromDays(4));
        AssertLives((await browser.GetAsync("/user")).SetCookie, TimeSpan.FromDays(6));
    }

    [Fact]
    public async Task Without_it_the_cookie_goes_with_the_browser()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        var cookie = (await browser.GetAsync("/login?remember=false")).SetCookie;
        Assert.DoesNotContain("expires", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("max-age", cookie, StringComparison.OrdinalIgnoreCase);
        await browser.GetAsync("/login?remember=true");
        var forgotten = (await browser.GetAsync("/forget")).SetCookie;
        Assert.NotNull(forgotten);
        Assert.DoesNotContain("max-age", forgotten, StringComparison.OrdinalIgnoreCase);
    }

    private Task<SessionApp> StartAsync() =>
        SessionApp.StartAsync(store, Endpoints, configure: builder => builder.Services.AddSingleton<TimeProvider>(_time));

    private void AssertLives(string? cookie, TimeSpan lifetime)
    {
        Assert.NotNull(cookie);
        var attributes = cookie.Split("; ").Where(part => part.Contains('=', StringComparison.Ordinal)).ToDictionary(part => part.Split('=')[0], part => part.Split('=', 2)[1], StringComparer.OrdinalIgnoreCase);
        Assert.Equal(lifetime.TotalSeconds, double.Parse(attributes["max-age"], CultureInfo.InvariantCulture), tolerance: 1);
        var expires = DateTimeOffset.Parse(attributes["expires"], CultureInfo.InvariantCulture);
        Assert.InRange(expires - _time.GetUtcNow(), lifetime - TimeSpan.FromSeconds(2), lifetime + TimeSpan.FromSeconds(2));
    }
}
