using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>When the session is committed, and what becomes of the response when that fails.</summary>
public sealed class CommitTests(StoreFixture store)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Every way in which an endpoint can produce a response.</summary>
    private static readonly Dictionary<string, Func<HttpContext, Task>> Ways = new()
    {
        ["WriteAsync"] = context => context.Response.WriteAsync("the endpoint's answer"),
        ["Body.WriteAsync"] = async context => await context.Response.Body.WriteAsync("the endpoint's answer"u8.ToArray()),
        ["Body.WriteAsync twice with flush"] = async context =>
        {
            await context.Response.Body.WriteAsync("the endpoint's "u8.ToArray());
            await context.Response.Body.FlushAsync();
            await context.Response.Body.WriteAsync("answer"u8.ToArray());
        },
        ["BodyWriter"] = async context =>
        {
            context.Response.BodyWriter.Write("the endpoint's answer"u8);
            await context.Response.BodyWriter.FlushAsync();
        },
        ["BodyWriter without flush"] = context =>
        {
            context.Response.BodyWriter.Write("the endpoint's answer"u8);
            return Task.CompletedTask;
        },
        ["StartAsync, then BodyWriter"] = async context =>
        {
            await context.Response.StartAsync();
            context.Response.BodyWriter.Write("the endpoint's answer"u8);
            await context.Response.BodyWriter.FlushAsync();
        },
        ["CompleteAsync"] = async context =>
        {
            context.Response.BodyWriter.Write("the endpoint's answer"u8);
            await context.Response.CompleteAsync();
        },
        ["JSON"] = context => context.Response.WriteAsJsonAsync("the endpoint's answer"),
        ["a file"] = async context =>
        {
            var file = Path.GetTempFileName();
            try
            {
                await File.WriteAllTextAsync(file, "the endpoint's answer");
                await context.Response.SendFileAsync(file);
            }
            finally
            {
                File.Delete(file);
            }
        },
        ["synchronously"] = context =>
        {
            context.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
            context.Response.Body.Write("the endpoint's "u8);
            context.Response.Body.Flush();
            context.Response.Body.Write("answer"u8);
            return Task.CompletedTask;
        },
        ["a large body"] = async context =>
        {
            for (var i = 0; i < 100; i++)
                await context.Response.WriteAsync(new string('x', 10_000) + "the endpoint's answer");
        },
        ["with a length"] = async context =>
        {
            context.Response.ContentLength = 21;
            await context.Response.WriteAsync("the endpoint's answer");
        },
    };

    public static TheoryData<string> WaysToAnswer => [.. Ways.Keys];

    [Theory]
    [MemberData(nameof(WaysToAnswer))]
    public async Task The_response_is_the_endpoints_own_when_the_commit_succeeds(string way)
    {
        await using var app = await SessionApp.StartAsync(store, app => app.MapGet("/", async (HttpContext context) =>
        {
            context.GetSession().Increment("n");
            await Ways[way](context);
        }));
        using var browser = app.NewBrowser();
        for (var i = 0; i < 2; i++)
        {
            var answer = await browser.GetAsync("/");
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.Contains("the endpoint", answer.Body, StringComparison.Ordinal);
            Assert.EndsWith("answer", answer.Body.TrimEnd('"'), StringComparison.Ordinal);
        }

        Assert.Equal(2, app.Store.Commits);
    }

    [Theory]
    [MemberData(nameof(WaysToAnswer))]
    public async Task A_conflict_replaces_the_response_before_any_byte_of_it(string way)
    {
        // The client may have its answer before the endpoint has its exception.
        TaskCompletionSource<SessionConflictException> seen = new();
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/start", (Session session) => session["n"] = 1L);
            app.MapGet("/", async (HttpContext context) =>
            {
                var session = context.GetSession();
                session["n"] = session.Get<long>("n") + 1;
                await OtherRequestAsync(context, session => session.Increment("n"));
                context.Response.StatusCode = 202;
                context.Response.Headers["X-Endpoint"] = "1";
                try
                {
                    await Ways[way](context);
                }
                catch (SessionConflictException e)
                {
                    seen.SetResult(e);
                    throw;
                }
            });
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/start");
        var answer = await browser.GetAsync("/");
        Assert.Equal(HttpStatusCode.Conflict, answer.Status);
        Assert.True(answer.IsProblem);
        Assert.StartsWith("{\"type\":\"urn:redis-sessions:conflict\"", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("the endpoint's", answer.Body, StringComparison.Ordinal);
        Assert.False(answer.Message.Headers.Contains("X-Endpoint"));
        Assert.Null(answer.SetCookie);
        // An endpoint that writes while the response starts is stopped there.
        if (way is "WriteAsync" or "JSON" or "a large body")
            Assert.Equal("n", (await seen.Task.WaitAsync(Token)).Path);
    }

    [Fact]
    public async Task A_conflict_of_an_endpoint_without_a_body_is_a_problem_too()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/start", (Session session) => session["n"] = 1L);
            app.MapGet("/", async (HttpContext context, Session session) =>
            {
                session["n"] = session.Get<long>("n") + 1;
                await OtherRequestAsync(context, session => session.Increment("n"));
                return Results.Redirect("/elsewhere");
            });
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/start");
        var answer = await browser.GetAsync("/");
        Assert.Equal(HttpStatusCode.Conflict, answer.Status);
        Assert.True(answer.IsProblem);
        Assert.Null(answer.Message.Headers.Location);
    }

    [Fact]
    public async Task Last_write_wins_when_the_application_says_so()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/start", (Session session) => session["n"] = 1L);
            app.MapGet("/", async (HttpContext context, Session session) =>
            {
                session["n"] = session.Get<long>("n") + 1;
                await OtherRequestAsync(context, session => session["n"] = 100L);
            });
            app.MapGet("/n", (Session session) => session.Get<long>("n"));
        }, ["Sessions:OnConflict=LastWriteWins"]);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/start");
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/")).Status);
        Assert.Equal("2", (await browser.GetAsync("/n")).Body);
    }

    [Fact]
    public async Task No_byte_leaves_before_the_commit_is_stored()
    {
        TaskCompletionSource commitArrived = new(), commitMayGoOn = new();
        await using var app = await SessionApp.StartAsync(store, app => app.MapGet("/", async (HttpContext context) =>
        {
            context.GetSession()["a"] = 1;
            await context.Response.WriteAsync("answer");
            await context.Response.Body.FlushAsync();
        }));
        app.Store.BeforeCommit = () =>
        {
            commitArrived.TrySetResult();
            return commitMayGoOn.Task;
        };
        using var client = new HttpClient();
        var head = client.GetAsync(app.Address, HttpCompletionOption.ResponseHeadersRead, Token);
        await commitArrived.Task.WaitAsync(Token);
        Assert.False(head.IsCompleted);
        commitMayGoOn.SetResult();
        using var response = await head;
        Assert.True(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task A_request_that_only_reads_does_not_write_and_one_without_a_cookie_does_nothing()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/set", (Session session) => session["a"] = "1");
            app.MapGet("/get", (Session session) => (string?)session["a"]);
        });
        using var browser = app.NewBrowser();
        Assert.Null((await browser.GetAsync("/get")).SetCookie);
        Assert.Equal((0, 0), (app.Store.Reads, app.Store.Commits));
        await browser.GetAsync("/set");
        Assert.Equal((0, 1), (app.Store.Reads, app.Store.Commits));
        var read = await browser.GetAsync("/get");
        Assert.Equal(("1", null), (read.Body, read.SetCookie));
        Assert.Equal((1, 1), (app.Store.Reads, app.Store.Commits));
    }

    [Fact]
    public async Task What_a_callback_writes_while_the_response_starts_is_stored_too()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            // As MVC's TempData does it.
            app.MapGet("/", async (HttpContext context) =>
            {
                context.Response.OnStarting(() =>
                {
                    context.GetSession()["late"] = "yes";
                    return Task.CompletedTask;
                });
                await context.Response.WriteAsync("answer");
            });
            app.MapGet("/get", (Session session) => (string?)session["late"]);
        });
        using var browser = app.NewBrowser();
        Assert.Equal("answer", (await browser.GetAsync("/")).Body);
        Assert.Equal("yes", (await browser.GetAsync("/get")).Body);
    }

    [Fact]
    public async Task What_is_changed_after_the_response_has_started_is_stored_or_the_connection_ends()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/start", (Session session) => session["a"] = "1");
            app.MapGet("/late", async (HttpContext context, Session session) =>
            {
                await context.Response.WriteAsync("answer");
                await context.Response.Body.FlushAsync();
                session["a"] = "2";
            });
            app.MapGet("/get", (Session session) => (string?)session["a"]);
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/start");
        Assert.Equal("answer", (await browser.GetAsync("/late")).Body);
        Assert.Equal("2", (await browser.GetAsync("/get")).Body);

        app.Store.CommitsFail = true;
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => browser.GetAsync("/late"));

        // A new session would need a cookie, and the headers are gone.
        app.Store.CommitsFail = false;
        var commits = app.Store.Commits;
        using var stranger = app.NewBrowser();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => stranger.GetAsync("/late"));
        Assert.Equal(commits, app.Store.Commits);
    }

    [Fact]
    public async Task A_request_that_throws_stores_nothing()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/start", (Session session) => session["a"] = "1");
            app.MapGet("/throw", (Session session) =>
            {
                session["a"] = "2";
                session.RegenerateId(true);
                throw new InvalidOperationException("as endpoints do");
            });
            app.MapGet("/get", (Session session) => (string?)session["a"]);
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/start");
        var failed = await browser.GetAsync("/throw");
        Assert.Equal((HttpStatusCode.InternalServerError, null), (failed.Status, failed.SetCookie));
        Assert.Equal("1", (await browser.GetAsync("/get")).Body);
    }

    [Fact]
    public async Task An_error_page_that_runs_through_the_pipeline_again_has_the_session_without_what_failed()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/start", (Session session) => session["a"] = "1");
            app.MapGet("/throw", string (Session session) =>
            {
                session["a"] = "2";
                throw new InvalidOperationException("as endpoints do");
            });
            app.MapGet("/error", (HttpContext context, Session session) =>
            {
                session.Increment("errors");
                return $"{context.Features.Get<IExceptionHandlerFeature>()?.Error.Message}: {session["a"]}";
            });
            app.MapGet("/get", (Session session) => $"{session["a"]} {session["errors"]}");
        }, before: app => app.UseExceptionHandler("/error"));
        using var browser = app.NewBrowser();
        await browser.GetAsync("/start");
        var failed = await browser.GetAsync("/throw");
        Assert.Equal((HttpStatusCode.InternalServerError, "as endpoints do: 1"), (failed.Status, failed.Body));
        Assert.Equal("1 1", (await browser.GetAsync("/get")).Body);
    }

    [Fact]
    public async Task A_browser_that_goes_away_does_not_take_a_commit_back()
    {
        TaskCompletionSource commitArrived = new(), commitMayGoOn = new();
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/start", (Session session) => session["a"] = "1");
            app.MapGet("/set", async (HttpContext context, Session session) =>
            {
                session["a"] = "2";
                await context.Response.WriteAsync("answer");
            });
            app.MapGet("/get", (Session session) => (string?)session["a"]);
        });
        using var browser = app.NewBrowser();
        await browser.GetAsync("/start");
        app.Store.BeforeCommit = () =>
        {
            commitArrived.TrySetResult();
            return commitMayGoOn.Task;
        };
        using var gone = new CancellationTokenSource();
        var request = browser.SendUntilAsync("/set", $"session={browser.Id}", gone.Token);
        await commitArrived.Task.WaitAsync(Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        app.Store.BeforeCommit = null;
        commitMayGoOn.SetResult();
        await TestServers.Poll.UntilAsync(
            async () => (await browser.GetAsync("/get")).Body == "2", TimeSpan.FromSeconds(20), "the commit is stored", Token);
    }

    /// <summary>Another request of the same visitor, in the middle of this one.</summary>
    internal static async Task OtherRequestAsync(HttpContext context, Action<Session> change)
    {
        var manager = context.RequestServices.GetRequiredService<SessionManager>();
        Assert.True(SessionId.TryParse(context.GetSession().Id, out var id));
        var other = await manager.LoadAsync(id, cancellationToken: Token);
        change(other);
        await other.CommitAsync(Token);
    }
}
