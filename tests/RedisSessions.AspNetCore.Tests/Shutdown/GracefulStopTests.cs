using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests.Shutdown;

/// <summary>An instance is told to stop: first the balancer may notice, then what was begun is finished, and what was acknowledged is stored.</summary>
public sealed class GracefulStopTests(StoreFixture store)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly TaskCompletionSource _atWork = new(), _goOn = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task In_the_delay_readiness_fails_and_requests_are_served_and_then_nobody_listens()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var app = await StartAsync(time, "Sessions:ShutdownDelay=00:00:05");
        using var browser = app.NewBrowser();
        await browser.GetAsync("/count");
        Assert.Equal("Healthy", (await browser.GetAsync("/ready")).Body);

        var stop = app.StopAsync(Token);
        await app.Logs.HaveAsync("goes on answering for 5 s");
        for (var i = 2; i < 5; i++)
        {
            // A new connection each time, as from a balancer that has not noticed yet.
            using var stranger = app.NewBrowser();
            stranger.Id = browser.Id;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await stranger.GetAsync("/ready")).Status);
            Assert.Equal($"{i}", (await stranger.GetAsync("/count")).Body);
            time.Advance(TimeSpan.FromSeconds(1));
            Assert.False(stop.IsCompleted);
        }

        time.Advance(TimeSpan.FromSeconds(2));
        await stop.WaitAsync(Patience, Token);
        using var late = app.NewBrowser();
        await Assert.ThrowsAsync<HttpRequestException>(() => late.GetAsync("/count"));
        Assert.Equal("4", await StoredAsync(browser.Id!));
    }

    [Theory]
    [InlineData("endpoint")]
    [InlineData("commit")]
    public async Task A_request_that_was_begun_is_answered_and_what_it_acknowledged_is_stored(string atWorkIn)
    {
        await using var app = await StartAsync(null);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/count");
        if (atWorkIn == "commit")
            app.Store.BeforeCommit = WorkAsync;
        var request = browser.GetAsync(atWorkIn == "commit" ? "/count" : "/slow");
        await _atWork.Task.WaitAsync(Patience, Token);

        var stop = app.StopAsync(Token);
        await Poll.UntilAsync(async () =>
        {
            using var stranger = app.NewBrowser();
            try
            {
                await stranger.GetAsync("/ready");
                return false;
            }
            catch (HttpRequestException)
            {
                return true;
            }
        }, Patience, "nobody listens any more", Token);
        Assert.False(stop.IsCompleted);
        _goOn.SetResult();

        var answer = await request;
        Assert.Equal((HttpStatusCode.OK, "2"), (answer.Status, answer.Body));
        await stop.WaitAsync(Patience, Token);
        Assert.Equal("2", await StoredAsync(browser.Id!));
    }

    [Fact]
    public async Task The_host_does_not_wait_longer_than_it_was_told()
    {
        await using var app = await StartAsync(new FakeTimeProvider(DateTimeOffset.UtcNow), "Sessions:ShutdownDelay=00:00:20");
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var stop = app.StopAsync(impatience.Token);
        await app.Logs.HaveAsync("goes on answering for 20 s");
        await impatience.CancelAsync();
        await stop.WaitAsync(Patience, Token);
    }

    [Fact]
    public async Task Without_a_delay_stopping_takes_none()
    {
        // The clock stands still: a delay would never end.
        await using var app = await StartAsync(new FakeTimeProvider(DateTimeOffset.UtcNow));
        await app.StopAsync(Token).WaitAsync(Patience, Token);
    }

    [Theory]
    [InlineData("00:00:30", "Sessions:ShutdownDelay is 00:00:30: it must be shorter than HostOptions.ShutdownTimeout (00:00:30)")]
    [InlineData("-00:00:01", "Sessions:ShutdownDelay is -00:00:01: it must be from 00:00:00 to 00:05:00.")]
    public async Task A_delay_that_cannot_be_kept_stops_the_start(string delay, string message)
    {
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(null, $"Sessions:ShutdownDelay={delay}"));
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    private Task<SessionApp> StartAsync(FakeTimeProvider? time, params string[] settings) => SessionApp.StartAsync(store, app =>
    {
        app.MapGet("/count", (Session session) => $"{session.Increment("n")}");
        app.MapGet("/slow", async (Session session) =>
        {
            var n = session.Increment("n");
            await WorkAsync();
            return $"{n}";
        });
        app.MapHealthChecks("/ready").WithSessionAccess(SessionAccess.None);
    }, settings, configure: builder =>
    {
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.Services.AddHealthChecks().AddRedisSessionsHealthCheck();
        if (time is not null)
            builder.Services.AddSingleton<TimeProvider>(time);
    });

    private async Task WorkAsync()
    {
        _atWork.TrySetResult();
        await _goOn.Task;
    }

    /// <summary>What another instance sees.</summary>
    private async Task<string> StoredAsync(string id)
    {
        await using var other = await SessionApp.StartAsync(store, app => app.MapGet("/get", (Session session) => $"{session["n"]}"));
        using var browser = other.NewBrowser();
        browser.Id = id;
        return (await browser.GetAsync("/get")).Body;
    }
}
