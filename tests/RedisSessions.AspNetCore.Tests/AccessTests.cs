using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>How an endpoint gets its session, and what it may do with it.</summary>
public sealed class AccessTests(StoreFixture store)
{
    [Fact]
    public async Task The_service_and_the_extension_method_give_the_same_session()
    {
        await using var app = await SessionApp.StartAsync(store, app => app.MapGet("/", (HttpContext context, Session session) =>
            ReferenceEquals(session, context.GetSession()) && ReferenceEquals(session, context.RequestServices.GetRequiredService<Session>())));
        using var browser = app.NewBrowser();
        Assert.Equal("true", (await browser.GetAsync("/")).Body);
    }

    [Fact]
    public async Task An_endpoint_without_access_costs_nothing_and_has_no_session()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/set", (Session session) => session["a"] = "1");
            app.MapGet("/none", (HttpContext context) =>
                Assert.Throws<InvalidOperationException>(context.GetSession).Message
                + Assert.Throws<InvalidOperationException>(() => context.RequestServices.GetRequiredService<Session>()).Message).WithSessionAccess(SessionAccess.None);
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set");
        var answer = await browser.GetAsync("/none");
        Assert.Contains("UseRedisSessions", answer.Body, StringComparison.Ordinal);
        Assert.Equal(0, app.Store.Reads);
    }

    [Fact]
    public async Task A_read_only_endpoint_reads_and_cannot_write()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/set", (Session session) => session.Flash("a", "1"));
            var readers = app.MapGroup("/readers").WithSessionAccess(SessionAccess.ReadOnly);
            readers.MapGet("/get", (Session session) => $"{session["a"]} {session.IsReadOnly}");
            readers.MapGet("/set", (Session session) => session["a"] = "2");
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set");
        for (var i = 0; i < 3; i++)
            Assert.Equal("1 True", (await browser.GetAsync("/readers/get")).Body);
        Assert.Equal(HttpStatusCode.InternalServerError, (await browser.GetAsync("/readers/set")).Status);
        Assert.Equal(1, app.Store.Commits);
    }

    [Fact]
    public async Task Flashed_values_are_there_for_the_next_request_only()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/flash", (Session session) => session.Flash("message", "saved"));
            app.MapGet("/get", (Session session) => $"[{session["message"]}]");
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/flash");
        Assert.Equal("[saved]", (await browser.GetAsync("/get")).Body);
        Assert.Equal("[]", (await browser.GetAsync("/get")).Body);
        var commits = app.Store.Commits;
        Assert.Equal("[]", (await browser.GetAsync("/get")).Body);
        Assert.Equal(commits, app.Store.Commits);
    }

    [Fact]
    public void Using_sessions_without_registering_them_says_what_to_call()
    {
        var app = WebApplication.CreateBuilder().Build();
        Assert.Contains("AddRedisSessions", Assert.Throws<InvalidOperationException>(() => app.UseRedisSessions()).Message, StringComparison.Ordinal);
    }
}
