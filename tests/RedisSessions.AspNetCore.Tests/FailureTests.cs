using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>The store fails, the session is too large: what the browser gets, and what it never gets.</summary>
public sealed class FailureTests(StoreFixture store)
{
    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/set", (Session session, string val) => session["a"] = val);
        app.MapGet("/get", (Session session) => $"[{session["a"]}]");
        app.MapGet("/fill", (Session session, int size) => session["big.one"] = new string('x', size));
        app.MapGet("/none", () => "none").WithSessionAccess(SessionAccess.None);
    }

    [Fact]
    public async Task A_session_that_cannot_be_read_is_a_503_and_never_an_empty_session()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?val=1");
        app.Store.ReadsFail = true;
        var answer = await browser.GetAsync("/get");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
        Assert.True(answer.IsProblem);
        Assert.True(answer.Message.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        Assert.Null(answer.SetCookie);
        Assert.Equal("none", (await browser.GetAsync("/none")).Body);

        app.Store.ReadsFail = false;
        Assert.Equal("[1]", (await browser.GetAsync("/get")).Body);
    }

    [Fact]
    public async Task A_damaged_value_of_a_large_session_is_a_503_for_who_touches_it_and_for_nobody_else()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?val=1");
        await browser.GetAsync("/fill?size=10000");
        await using (var redis = await ConnectionMultiplexer.ConnectAsync(store.Configuration))
        {
            Assert.True(SessionId.TryParse(browser.Id, out var id));
            var key = $"session:{SessionKey.From(id)}";
            var bytes = (byte[])(await redis.GetDatabase().StringGetAsync(key))!;
            // "a": "1" becomes a byte that is no value, and another.
            var at = bytes.AsSpan().IndexOf((byte[])[0xa1, (byte)'a', 0xa1, (byte)'1']);
            await redis.GetDatabase().StringSetRangeAsync(key, at + 2, new byte[] { 0xc1 });
        }

        var answer = await browser.GetAsync("/get");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
        Assert.True(answer.IsProblem);
        Assert.Null(answer.SetCookie);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await browser.GetAsync("/set?val=2")).Status);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/fill?size=20000")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await browser.GetAsync("/get")).Status);
    }

    [Fact]
    public async Task A_commit_that_fails_is_a_503()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?val=1");
        app.Store.CommitsFail = true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await browser.GetAsync("/set?val=2")).Status);
        using var stranger = app.NewBrowser();
        var first = await stranger.GetAsync("/set?val=2");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, null), (first.Status, first.SetCookie));
        app.Store.CommitsFail = false;
        Assert.Equal("[1]", (await browser.GetAsync("/get")).Body);
    }

    [Fact]
    public async Task Anonymous_goes_on_with_an_empty_session_that_is_never_stored_and_logs_nobody_out()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints, ["Sessions:OnStoreFailure=Anonymous"]);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?val=1");
        var commits = app.Store.Commits;
        app.Store.ReadsFail = true;
        var read = await browser.GetAsync("/get");
        Assert.Equal((HttpStatusCode.OK, "[]", null), (read.Status, read.Body, read.SetCookie));
        var write = await browser.GetAsync("/set?val=2");
        Assert.Equal((HttpStatusCode.OK, null), (write.Status, write.SetCookie));
        Assert.Equal(commits, app.Store.Commits);

        app.Store.ReadsFail = false;
        Assert.Equal("[1]", (await browser.GetAsync("/get")).Body);
        // What could be read and not be stored is a failure under either policy.
        app.Store.CommitsFail = true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await browser.GetAsync("/set?val=2")).Status);
    }

    [Fact]
    public async Task A_session_that_is_too_large_is_a_413_and_stays_what_it_was()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints, ["Sessions:MaxSize=2048"]);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?val=1");
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/fill?size=1900")).Status);
        var answer = await browser.GetAsync("/fill?size=2100");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.Status);
        Assert.True(answer.IsProblem);
        await app.Logs.HaveAsync("Largest keys: big (2");
        Assert.Equal("[1]", (await browser.GetAsync("/get")).Body);
    }

    [Fact]
    public async Task No_log_ever_holds_a_session_id_or_a_value()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            Endpoints(app);
            app.MapGet("/conflict", async (HttpContext context, Session session) =>
            {
                _ = session["a"];
                session["a"] = "canary-value";
                await CommitTests.OtherRequestAsync(context, other => other["a"] = "canary-value-2");
            });
            app.MapGet("/login", (Session session) => session.RegenerateId(true));
            app.MapGet("/logout", (Session session) => session.Destroy(true));
        });
        using var browser = app.NewBrowser();
        List<string> ids = [];
        foreach (var path in new[] { "/set?val=1", "/conflict", "/login", "/get", "/conflict", "/logout", "/get" })
        {
            await browser.GetAsync(path);
            if (browser.Id is not null)
                ids.Add(browser.Id);
        }

        browser.Id = ids[0];
        await browser.GetAsync("/set?val=1");
        app.Store.ReadsFail = app.Store.CommitsFail = true;
        await browser.GetAsync("/get");
        await browser.SendAsync("/get", "session=canary-malformed");

        Assert.True(ids.Distinct().Count() >= 2);
        await app.Logs.HaveAsync("'a' was changed by another request");
        await app.Logs.HaveAsync("switched off by the test");
        foreach (var canary in ids.Append("canary-value").Append("canary-malformed"))
            Assert.DoesNotContain(app.Logs.Lines, line => line.Contains(canary, StringComparison.Ordinal));
    }
}
