using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>ISession and Session are two views of one record, and requests that use either at the same time lose nothing.</summary>
public sealed class AspNetSessionSharingTests(StoreFixture store)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_one_sets_the_other_reads()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/theirs", (HttpContext context) =>
            {
                context.Session.SetString("text", "grüß dich");
                context.Session.SetInt32("number", -7);
                context.Session.Set("bytes", [0xff, 0x00]);
            });
            app.MapGet("/ours", (Session session) =>
            {
                session["text2"] = "тоже";
                session["number2"] = int.MinValue;
                session["bytes2"] = new byte[] { 1 };
            });
            app.MapGet("/read-ours", (Session session) =>
                $"{session.Get<string>("text")} {session.Get<int>("number")} {session.Get<long>("number")} {Convert.ToHexString(session.Get<byte[]>("bytes")!)}");
            app.MapGet("/read-theirs", (HttpContext context) =>
                $"{context.Session.GetString("text2")} {context.Session.GetInt32("number2")} {Convert.ToHexString(context.Session.Get("bytes2")!)}");
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/theirs");
        await browser.GetAsync("/ours");
        Assert.Equal("grüß dich -7 -7 FF00", (await browser.GetAsync("/read-ours")).Body);
        Assert.Equal("тоже -2147483648 01", (await browser.GetAsync("/read-theirs")).Body);
    }

    [Fact]
    public async Task Keys_with_dots_are_literal_and_the_path_of_the_same_name_is_another_value()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/set", (HttpContext context, Session session) =>
            {
                session["account.name"] = "path";
                context.Session.SetString("account.name", "literal");
            });
            app.MapGet("/get", (HttpContext context, Session session) =>
                $"{context.Session.GetString("account.name")} {session.Get<string>("account.name")} {((IReadOnlyDictionary<string, object?>)session["account"]!)["name"]} "
                + string.Join(',', context.Session.Keys));
            app.MapGet("/remove", (HttpContext context) => context.Session.Remove("account.name"));
            app.MapGet("/path", (HttpContext context, Session session) => $"{context.Session.GetString("account.name") ?? "none"} {session["account.name"]}");
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set");
        // A literal key of that name wins where paths are read, too.
        Assert.Equal("literal literal path account.name", (await browser.GetAsync("/get")).Body);
        await browser.GetAsync("/remove");
        Assert.Equal("none path", (await browser.GetAsync("/path")).Body);
        await browser.GetAsync("/remove");
        Assert.Equal("none path", (await browser.GetAsync("/path")).Body);
    }

    [Fact]
    public async Task Values_that_have_no_form_as_bytes_are_not_seen_and_stay()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/set", (Session session) =>
            {
                session["map.inner"] = "x";
                session["list"] = new[] { 1, 2 };
                session["long"] = 1L << 40;
                session["flag"] = true;
                session["half"] = 0.5;
                session["nothing"] = null;
                session["seen"] = "yes";
            });
            app.MapGet("/theirs", (HttpContext context) =>
                string.Join(',', context.Session.Keys) + string.Concat(new[] { "map", "list", "long", "flag", "half", "nothing", "seen" }
                    .Select(key => context.Session.TryGetValue(key, out _) ? '+' : '-')));
            app.MapGet("/ours", (Session session) => session.All().Count);
            app.MapGet("/write", (HttpContext context) => context.Session.SetString("more", "x"));
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set");
        Assert.Equal("seen------+", (await browser.GetAsync("/theirs")).Body);
        await browser.GetAsync("/write");
        Assert.Equal("8", (await browser.GetAsync("/ours")).Body);
    }

    [Theory]
    [InlineData("_flash")]
    [InlineData("_session")]
    [InlineData("_flash.new")]
    [InlineData("_session.agent")]
    public async Task The_librarys_own_keys_cannot_be_set_or_seen(string key)
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/flash", (Session session) =>
            {
                session.Flash("message", "hello");
                session.IsPersistent = true;
            });
            app.MapGet("/", (HttpContext context) =>
            {
                Assert.Throws<ArgumentException>(() => context.Session.SetString(key, "x"));
                context.Session.Remove(key);
                return $"{context.Session.TryGetValue(key, out _)} {string.Join(',', context.Session.Keys)} {context.GetSession().Get<string>("message")} {context.GetSession().IsPersistent}";
            });
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/flash");
        Assert.Equal("False message hello True", (await browser.GetAsync("/")).Body);
    }

    [Fact]
    public async Task Writers_of_different_keys_at_the_same_time_all_survive()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/set", (HttpContext context, string key) => context.Session.SetString(key, "x"));
            app.MapGet("/count", (HttpContext context) => context.Session.Keys.Count());
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set?key=first");
        // Literal keys, so that one is never the ancestor of another.
        var answers = await browser.AtOnceAsync(40, i => $"/set?key=k.{i % 2}.{i}");
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal("41", (await browser.GetAsync("/count")).Body);
    }

    [Fact]
    public async Task A_counter_that_is_read_and_written_is_stored_or_refused_and_never_lost()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/start", (HttpContext context) => context.Session.SetInt32("n", 0));
            app.MapGet("/count", async (HttpContext context) =>
            {
                var n = context.Session.GetInt32("n") ?? 0;
                await Task.Yield();
                context.Session.SetInt32("n", n + 1);
            });
            app.MapGet("/n", (HttpContext context) => context.Session.GetInt32("n"));
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/start");
        var answers = await browser.AtOnceAsync(60, _ => "/count");
        var stored = answers.Count(answer => answer.Status == HttpStatusCode.OK);
        Assert.Equal(60, stored + answers.Count(answer => answer.Status == HttpStatusCode.Conflict && answer.IsProblem));
        Assert.True(stored is > 0 and < 60, "they were not at the same time, and prove nothing");
        Assert.Equal($"{stored}", (await browser.GetAsync("/n")).Body);
    }

    [Fact]
    public async Task A_key_that_was_read_as_bytes_is_guarded_against_whoever_changes_it()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/start", (HttpContext context) => context.Session.SetString("a.b", "1"));
            app.MapGet("/", async (HttpContext context, string changed) =>
            {
                _ = context.Session.GetString("a.b");
                await CommitTests.OtherRequestAsync(context, session => session.Literals.Set(changed, Encoding.UTF8.GetBytes("theirs")));
                context.Session.SetString("mine", "1");
            });
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/start");
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/?changed=a")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await browser.GetAsync("/?changed=a.b")).Status);
    }
}
