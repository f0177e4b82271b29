using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace RedisSessions.AspNetCore.Tests.Health;

/// <summary>What a balancer and an orchestrator are told.</summary>
public sealed class HealthTests(StoreFixture store)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_instance_whose_store_answers_is_ready_and_asking_makes_nothing()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        for (var i = 0; i < 3; i++)
            Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync(browser, "/ready"));
        Assert.Equal((3, 0), (app.Store.Reads, app.Store.Commits));
        var report = await ReportAsync(app);
        Assert.Equal(["redis", "ok"], [report.Data["handler"], report.Data["outcome"]]);
    }

    [Fact]
    public async Task A_store_that_fails_makes_an_instance_unready_and_not_dead()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        app.Store.ReadsFail = true;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), await AskAsync(browser, "/ready"));
        var reads = app.Store.Reads;
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync(browser, "/live"));
        Assert.Equal(reads, app.Store.Reads);
        var report = await ReportAsync(app);
        Assert.Equal(["failed", "SessionStoreException"], [report.Data["outcome"], report.Data["error"]]);
        Assert.Null(report.Exception);
        Assert.DoesNotContain("switched off by the test", report.Description, StringComparison.Ordinal);

        app.Store.ReadsFail = false;
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync(browser, "/ready"));
    }

    [Fact]
    public async Task Where_visitors_are_served_without_a_store_its_failure_only_degrades()
    {
        await using var app = await StartAsync("Sessions:OnStoreFailure=Anonymous");
        app.Store.ReadsFail = true;
        using var browser = app.NewBrowser();
        Assert.Equal((HttpStatusCode.OK, "Degraded"), await AskAsync(browser, "/ready"));
        Assert.EndsWith("Visitors are served without their sessions.", (await ReportAsync(app)).Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_says_nothing_and_heeds_no_token_is_not_waited_for()
    {
        await using var app = await StartAsync(TimeSpan.FromMilliseconds(200));
        var silence = new TaskCompletionSource();
        app.Store.BeforeRead = () => silence.Task;
        var report = await ReportAsync(app).WaitAsync(TimeSpan.FromSeconds(10), Token);
        Assert.InRange((double)report.Data["milliseconds"], 100, 4000);
        Assert.Equal((HealthStatus.Unhealthy, "The session store has not answered within 0.2 s."), (report.Status, report.Description));
        Assert.Equal("timeout", report.Data["outcome"]);
        silence.SetResult();
    }

    [Fact]
    public async Task A_slow_store_is_said_to_be_slow()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var app = await SessionApp.StartAsync(store, static _ => { }, configure: builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(time);
            builder.Services.AddHealthChecks().AddRedisSessionsHealthCheck(TimeSpan.FromSeconds(20));
        });
        app.Store.BeforeRead = () =>
        {
            time.Advance(TimeSpan.FromSeconds(11));
            return Task.CompletedTask;
        };
        var report = await ReportAsync(app);
        Assert.Equal((HealthStatus.Degraded, "The session store is slow: 11000 ms."), (report.Status, report.Description));
    }

    [Fact]
    public async Task From_the_signal_to_stop_on_an_instance_is_not_ready()
    {
        await using var app = await StartAsync();
        Assert.Equal(HealthStatus.Healthy, (await ReportAsync(app)).Status);
        app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        var report = await ReportAsync(app);
        Assert.Equal((HealthStatus.Unhealthy, "stopping"), (report.Status, report.Data["outcome"]));
        Assert.Equal(HealthStatus.Healthy, (await ReportAsync(app, "sessions-live")).Status);
    }

    [Fact]
    public void A_time_out_of_nothing_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(static () => new ServiceCollection().AddHealthChecks().AddRedisSessionsHealthCheck(TimeSpan.Zero));

    private Task<SessionApp> StartAsync(params string[] settings) => StartAsync(null, settings);

    private Task<SessionApp> StartAsync(TimeSpan? timeout, params string[] settings) => SessionApp.StartAsync(
        store,
        app =>
        {
            app.MapHealthChecks("/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") });
            app.MapHealthChecks("/live", new HealthCheckOptions { Predicate = check => check.Tags.Contains("live") });
        },
        settings, configure: builder => builder.Services.AddHealthChecks().AddRedisSessionsHealthCheck(timeout));

    private static async Task<(HttpStatusCode, string)> AskAsync(Browser browser, string path)
    {
        var answer = await browser.SendAsync(path, cookie: null);
        return (answer.Status, answer.Body);
    }

    private static async Task<HealthReportEntry> ReportAsync(SessionApp app, string check = "sessions") =>
        (await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(registration => registration.Name == check, Token)).Entries[check];
}
