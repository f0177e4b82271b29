using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>ASP.NET Core's own ISession: its contract, as its own tests have it, over our record.</summary>
public sealed class AspNetSessionTests(StoreFixture store)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/set", (HttpContext context, string? key, string? value) => context.Session.SetString(key ?? "", value ?? ""));
        app.MapGet("/get", (HttpContext context, string? key) => context.Session.GetString(key ?? "") is { } value ? $"[{value}]" : "none");
        app.MapGet("/remove", (HttpContext context, string key) => context.Session.Remove(key));
        app.MapGet("/clear", (HttpContext context) => context.Session.Clear());
        app.MapGet("/keys", (HttpContext context) => string.Join(',', context.Session.Keys.Order(StringComparer.Ordinal)));
        app.MapGet("/id", (HttpContext context) => context.Session.Id);
        app.MapGet("/login", (Session session) => session.RegenerateId(deleteOld: true));
    }

    [Fact]
    public async Task Reading_an_empty_session_makes_none_and_costs_nothing()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        foreach (var (path, expected) in new[] { ("/get?key=a", "none"), ("/keys", ""), ("/remove?key=a", ""), ("/clear", "") })
        {
            var answer = await browser.GetAsync(path);
            Assert.Equal((HttpStatusCode.OK, expected, null), (answer.Status, answer.Body, answer.SetCookie));
        }

        Assert.Equal((0, 0), (app.Store.Reads, app.Store.Commits));
    }

    [Fact]
    public async Task A_write_sets_the_cookie_and_the_value_is_there_on_the_next_request()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        Assert.NotNull((await browser.GetAsync("/set?key=a&value=1")).Id);
        var answer = await browser.GetAsync("/get?key=a");
        Assert.Equal(("[1]", null), (answer.Body, answer.SetCookie));
        // Only the request that wrote has committed.
        Assert.Equal(1, app.Store.Commits);
    }

    [Fact]
    public async Task Removed_and_cleared_values_are_gone_and_doing_it_again_stores_nothing()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?key=a&value=1");
        await browser.GetAsync("/set?key=b&value=2");
        await browser.GetAsync("/remove?key=a");
        Assert.Equal("b", (await browser.GetAsync("/keys")).Body);
        await browser.GetAsync("/clear");
        Assert.Equal("", (await browser.GetAsync("/keys")).Body);
        Assert.Equal("none", (await browser.GetAsync("/get?key=b")).Body);
        Assert.Equal(4, app.Store.Commits);
        await browser.GetAsync("/remove?key=a");
        await browser.GetAsync("/clear");
        Assert.Equal(4, app.Store.Commits);
        // Cleared is not ended: the same session goes on.
        Assert.Null((await browser.GetAsync("/set?key=c&value=3")).SetCookie);
        Assert.Equal("c", (await browser.GetAsync("/keys")).Body);
    }

    [Fact]
    public async Task Keys_are_case_sensitive_and_may_be_empty_and_so_may_values()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        foreach (var (key, value) in new[] { ("a", "lower"), ("A", "upper"), ("", "no name"), ("empty", ""), ("ключ", "значение") })
            await browser.GetAsync($"/set?key={Uri.EscapeDataString(key)}&value={Uri.EscapeDataString(value)}");
        Assert.Equal("[lower]", (await browser.GetAsync("/get?key=a")).Body);
        Assert.Equal("[upper]", (await browser.GetAsync("/get?key=A")).Body);
        Assert.Equal("[no name]", (await browser.GetAsync("/get?key=")).Body);
        Assert.Equal("[]", (await browser.GetAsync("/get?key=empty")).Body);
        Assert.Equal("[значение]", (await browser.GetAsync($"/get?key={Uri.EscapeDataString("ключ")}")).Body);
        Assert.Equal(",A,a,empty,ключ", (await browser.GetAsync("/keys")).Body);
        await browser.GetAsync("/remove?key=");
        Assert.Equal("A,a,empty,ключ", (await browser.GetAsync("/keys")).Body);
    }

    [Fact]
    public async Task A_key_has_at_most_65535_bytes_and_null_is_none()
    {
        await using var app = await SessionApp.StartAsync(store, app => app.MapGet("/", (HttpContext context) =>
        {
            var session = context.Session;
            session.Set(new string('k', ushort.MaxValue), [1]);
            Assert.Throws<ArgumentOutOfRangeException>("key", () => session.Set(new string('k', ushort.MaxValue + 1), [1]));
            // In bytes, not in characters.
            Assert.Throws<ArgumentOutOfRangeException>("key", () => session.Set(new string('ж', 32_768), [1]));
            Assert.Throws<ArgumentNullException>("key", () => session.Set(null!, [1]));
            Assert.Throws<ArgumentNullException>("value", () => session.Set("a", null!));
            Assert.Throws<ArgumentNullException>("key", () => session.TryGetValue(null!, out _));
            return session.Keys.Single().Length;
        }));
        using var browser = app.NewBrowser();
        Assert.Equal("65535", (await browser.GetAsync("/")).Body);
    }

    [Fact]
    public async Task Bytes_are_copied_on_the_way_in_and_out()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/set", (HttpContext context) =>
            {
                byte[] bytes = [1, 2, 3];
                context.Session.Set("a", bytes);
                bytes[0] = 9;
                context.Session.Get("a")![1] = 9;
                return Convert.ToHexString(context.Session.Get("a")!);
            });
            app.MapGet("/get", (HttpContext context) => Convert.ToHexString(context.Session.Get("a")!));
        });
        using var browser = app.NewBrowser();
        Assert.Equal("010203", (await browser.GetAsync("/set")).Body);
        Assert.Equal("010203", (await browser.GetAsync("/get")).Body);
    }

    [Fact]
    public async Task Its_id_names_the_session_as_long_as_the_cookie_does_and_says_nothing_of_the_cookie()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?key=a&value=1");
        var cookie = browser.Id!;
        var id = (await browser.GetAsync("/id")).Body;
        Assert.Matches("^[A-Za-z0-9_-]{43}$", id);
        Assert.NotEqual(cookie, id);
        Assert.True(SessionId.TryParse(cookie, out var secret));
        Assert.Equal(SessionKey.From(secret).Value, id);
        Assert.Equal(id, (await browser.GetAsync("/id")).Body);
        // Who knows it has nothing to send.
        Assert.Equal("none", (await browser.SendAsync("/get?key=a", $"session={id}")).Body);

        await browser.GetAsync("/login");
        Assert.NotEqual(cookie, browser.Id);
        Assert.NotEqual(id, (await browser.GetAsync("/id")).Body);
    }

    [Fact]
    public async Task It_is_there_during_the_request_and_not_before_or_after()
    {
        List<string> seen = [];
        await using var app = await SessionApp.StartAsync(
            store,
            app => app.MapGet("/", async (HttpContext context) =>
            {
                var session = context.Session;
                seen.Add($"{ReferenceEquals(session, context.Features.Get<ISessionFeature>()!.Session)} {session.IsAvailable}");
                await session.LoadAsync(Token);
                session.SetString("a", "1");
                await context.Response.WriteAsync("answer");
            }),
            before: app => app.Use(async (context, next) =>
            {
                seen.Add($"{context.Features.Get<ISessionFeature>() is null}");
                await next(context);
                seen.Add($"{context.Features.Get<ISessionFeature>() is null}");
            }));
        using var browser = app.NewBrowser();
        await browser.GetAsync("/");
        await TestServers.Poll.UntilAsync(() => seen.Count == 3, TimeSpan.FromSeconds(10), "the request has ended", Token);
        Assert.Equal(["True", "True True", "True"], seen);
    }

    [Fact]
    public async Task A_feature_of_somebody_else_is_put_back()
    {
        Mine mine = new();
        TaskCompletionSource<ISessionFeature?> after = new();
        await using var app = await SessionApp.StartAsync(
            store, app => app.MapGet("/", (HttpContext context) => context.Features.Get<ISessionFeature>() != mine),
            before: app => app.Use(async (context, next) =>
            {
                context.Features.Set<ISessionFeature>(mine);
                await next(context);
                after.SetResult(context.Features.Get<ISessionFeature>());
            }));
        using var browser = app.NewBrowser();
        Assert.Equal("true", (await browser.GetAsync("/")).Body);
        Assert.Same(mine, await after.Task.WaitAsync(Token));
    }

    [Fact]
    public async Task CommitAsync_stores_at_once_and_LoadAsync_heeds_its_token()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/", async (HttpContext context, SessionManager manager) =>
            {
                await context.Session.LoadAsync(Token);
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => context.Session.LoadAsync(new CancellationToken(true)));
                context.Session.SetString("a", "1");
                await context.Session.CommitAsync(Token);
                Assert.True(SessionId.TryParse(context.GetSession().Id, out var id));
                return (await manager.LoadAsync(id, cancellationToken: Token)).Get<string>("a");
            });
        });
        using var browser = app.NewBrowser();
        var answer = await browser.GetAsync("/");
        Assert.Equal("1", answer.Body);
        Assert.NotNull(answer.Id);
    }

    [Fact]
    public async Task A_session_cannot_begin_once_the_response_has_started()
    {
        TaskCompletionSource<Exception> failure = new();
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            Endpoints(app);
            app.MapGet("/late", async (HttpContext context) =>
            {
                await context.Response.WriteAsync("answer");
                await context.Response.Body.FlushAsync();
                try
                {
                    context.Session.SetString("a", "late");
                }
                catch (InvalidOperationException e)
                {
                    failure.TrySetResult(e);
                }
            });
        });
        using var browser = app.NewBrowser();
        var answer = await browser.GetAsync("/late");
        Assert.Equal(("answer", null), (answer.Body, answer.SetCookie));
        Assert.Contains("after the response has started", (await failure.Task.WaitAsync(Token)).Message, StringComparison.Ordinal);
        Assert.Equal(0, app.Store.Commits);
        // One that is there already can be changed.
        await browser.GetAsync("/set?key=a&value=1");
        await browser.GetAsync("/late");
        await TestServers.Poll.UntilAsync(async () => (await browser.GetAsync("/get?key=a")).Body == "[late]", TimeSpan.FromSeconds(10), "it is stored", Token);
    }

    [Fact]
    public async Task An_expired_session_reads_empty_and_a_new_one_gets_a_new_cookie()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints, ["Sessions:IdleTimeout=00:00:01"]);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?key=a&value=1");
        var old = browser.Id;
        // Each look moves the deadline: it must not be looked at too often.
        var answer = "";
        for (var pause = 1200; answer != "none" && pause < 8000; pause *= 2)
        {
            await Task.Delay(pause, Token);
            answer = (await browser.GetAsync("/get?key=a")).Body;
        }

        Assert.Equal("none", answer);
        Assert.NotNull((await browser.GetAsync("/set?key=a&value=2")).Id);
        Assert.NotEqual(old, browser.Id);
    }

    [Fact]
    public async Task It_is_not_available_when_the_store_is_down_and_the_application_wants_to_go_on()
    {
        static void Map(WebApplication app)
        {
            Endpoints(app);
            app.MapGet("/available", (HttpContext context) =>
            {
                context.Session.SetString("a", "lost");
                return $"{context.Session.IsAvailable} {Encoding.UTF8.GetString(context.Session.Get("a")!)}";
            });
        }

        await using var app = await SessionApp.StartAsync(store, Map, ["Sessions:OnStoreFailure=Anonymous"]);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?key=a&value=1");
        app.Store.ReadsFail = app.Store.CommitsFail = true;
        Assert.Equal("none", (await browser.GetAsync("/get?key=a")).Body);
        var answer = await browser.GetAsync("/available");
        Assert.Equal((HttpStatusCode.OK, "False lost", null), (answer.Status, answer.Body, answer.SetCookie));
        app.Store.ReadsFail = app.Store.CommitsFail = false;
        Assert.Equal("[1]", (await browser.GetAsync("/get?key=a")).Body);
    }

    [Fact]
    public async Task An_endpoint_without_access_has_none()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
            app.MapGet("/", (HttpContext context) => Assert.Throws<InvalidOperationException>(() => context.Session).Message).WithSessionAccess(SessionAccess.None));
        using var browser = app.NewBrowser();
        Assert.Contains("Session has not been configured", (await browser.GetAsync("/")).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_error_page_has_it_too(bool inAScopeOfItsOwn)
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            Endpoints(app);
            app.MapGet("/throw", string (HttpContext context) =>
            {
                context.Session.SetString("a", "2");
                throw new InvalidOperationException("as endpoints do");
            });
            app.MapGet("/error", (HttpContext context, Session session) =>
            {
                context.Session.SetString("failed", "yes");
                return $"{context.Session.GetString("a")} {session.Get<string>("failed")}";
            });
        }, before: app => app.UseExceptionHandler("/error", inAScopeOfItsOwn));
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?key=a&value=1");
        var answer = await browser.GetAsync("/throw");
        Assert.Equal((HttpStatusCode.InternalServerError, "1 yes"), (answer.Status, answer.Body));
        Assert.Equal("a,failed", (await browser.GetAsync("/keys")).Body);
    }

    private sealed class Mine : ISessionFeature
    {
        public ISession Session { get; set; } = null!;
    }
}
