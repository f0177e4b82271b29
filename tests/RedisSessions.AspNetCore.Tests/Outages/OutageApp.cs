using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>One instance in this process over a store that will fail: here, because what it logs is part of what is promised.</summary>
internal sealed class OutageApp : IAsyncDisposable
{
    private const int Sessions = 20;
    private readonly WebApplication _app;
    private readonly CapturedLogs _logs;
    private readonly Browser[] _visitors;

    private OutageApp(WebApplication app, CapturedLogs logs)
    {
        _app = app;
        _logs = logs;
        _visitors = [.. Enumerable.Range(0, Sessions).Select(_ => NewBrowser())];
    }

    public static async Task<OutageApp> StartAsync(Action<RedisSessionsBuilder> add, params string[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        var logs = new CapturedLogs();
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])));
        add(builder.Services.AddRedisSessions());
        var app = builder.Build();
        app.UseRedisSessions();
        app.MapGet("/set", (Session session, string val) => session["a"] = val);
        app.MapGet("/fill", (Session session, int size) => session["big"] = new string('x', size));
        app.MapGet("/get", (Session session) => $"[{session["a"]}]");
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new OutageApp(app, logs);
    }

    public Browser NewBrowser() => new(new Uri(_app.Urls.Single()));

    /// <summary>Stores the sessions that are to survive.</summary>
    public async Task SeedAsync()
    {
        for (var i = 0; i < Sessions; i++)
            Assert.Equal(HttpStatusCode.OK, (await _visitors[i].GetAsync($"/set?val={i}")).Status);
    }

    /// <summary>The store is out: a visitor and a stranger are refused as promised, and the log says what to do.</summary>
    /// <param name="remedy">What the log says.</param>
    /// <param name="paths">What cannot be done; what a stranger sends among it must write.</param>
    public async Task RefusesAsync(string remedy, params string[] paths)
    {
        using var stranger = NewBrowser();
        _logs.Forget();
        foreach (var path in paths)
        {
            await RefusesAsync(_visitors[1], path);
            if (path != "/get")
                await RefusesAsync(stranger, path);
        }

        await _logs.HaveAsync(remedy);
        Assert.DoesNotContain(_logs.Lines, line => _visitors.Any(visitor => line.Contains(visitor.Id!, StringComparison.Ordinal)));
    }

    /// <summary>Every session is what it was, and can be changed.</summary>
    public async Task IsAsBeforeAsync()
    {
        for (var i = 0; i < Sessions; i++)
        {
            Assert.Equal($"[{i}]", (await _visitors[i].GetAsync("/get")).Body);
            Assert.Equal(HttpStatusCode.OK, (await _visitors[i].GetAsync($"/set?val={i}")).Status);
        }
    }

    /// <summary>What can only be read can still be read.</summary>
    public async Task ReadsAsync() => Assert.Equal("[1]", (await _visitors[1].GetAsync("/get")).Body);

    public async ValueTask DisposeAsync()
    {
        foreach (var visitor in _visitors)
            visitor.Dispose();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }

    private static async Task RefusesAsync(Browser browser, string path)
    {
        var answer = await browser.GetAsync(path);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, null), (answer.Status, answer.SetCookie));
        Assert.True(answer.IsProblem);
        Assert.True(answer.Message.Headers.RetryAfter?.Delta > TimeSpan.Zero);
    }
}
