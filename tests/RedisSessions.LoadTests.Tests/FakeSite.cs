using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using RedisSessions.TestServers;

[assembly: AssemblyFixture(typeof(Secrets))]

namespace RedisSessions.LoadTests.Tests;

/// <summary>What a site may get wrong.</summary>
internal enum Fault
{
    None,
    LosesUpdates,
    AppliesTwice,
    ForgetsUsers,
    KeepsTheId,
    KeepsOldIds,
    RevivesDestroyed,
    Refuses,
}

/// <summary>A site with the routes of TargetApp, in this process, that keeps its sessions in memory and gets one thing wrong: every tenth time.</summary>
internal sealed class FakeSite : IAsyncDisposable
{
    private const int Every = 10;
    private readonly ConcurrentDictionary<string, FakeSession> _sessions = [];
    private readonly Fault _fault;
    private readonly WebApplication _app;
    private int _times;

    private FakeSite(Fault fault)
    {
        _fault = fault;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Use((context, next) =>
        {
            if (!Wrong(Fault.Refuses))
                return next(context);
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        _app.MapGet("/hello", static () => "hello");
        _app.MapGet("/seed", (HttpContext context) => Issue(context, new FakeSession("48151623")));
        _app.MapGet("/read", (HttpContext context) => Wrong(Fault.ForgetsUsers) ? "" : Find(context)?.User ?? "");
        _app.MapGet("/set", static () => "ok");
        _app.MapGet("/incr", Increment);
        // The shop's, for scripts only.
        _app.MapPost("/api/login", (HttpContext context, string user) => context.Request.Headers.ContainsKey("X-Web-Farm") ? Issue(context, new FakeSession(user)) : throw new BadHttpRequestException("no header"));
        _app.MapPost("/api/increment", (HttpContext context) => context.Request.Headers.ContainsKey("X-Web-Farm") ? Increment(context) + "\n" : throw new BadHttpRequestException("no header"));
        _app.MapGet("/login", (HttpContext context, string user) =>
        {
            var session = Find(context)!;
            session.User = user;
            if (Wrong(Fault.KeepsTheId))
                return "ok";
            if (!Wrong(Fault.KeepsOldIds))
                _sessions.TryRemove(Cookie(context), out _);
            return Issue(context, session);
        });
        _app.MapGet("/logout", (HttpContext context) =>
        {
            if (!Wrong(Fault.RevivesDestroyed))
                _sessions.TryRemove(Cookie(context), out _);
            return "ok";
        });
    }

    public Uri Address => new(_app.Urls.Single());

    /// <summary>Whether it gets its thing wrong already.</summary>
    public bool IsWrong { get; set; } = true;

    public static async Task<FakeSite> StartAsync(Fault fault = Fault.None, bool isWrong = true)
    {
        var site = new FakeSite(fault) { IsWrong = isWrong };
        await site._app.StartAsync(TestContext.Current.CancellationToken);
        return site;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private string Increment(HttpContext context) =>
        (Find(context) ?? new FakeSession("")).Increment(Wrong(Fault.LosesUpdates) ? 0 : Wrong(Fault.AppliesTwice) ? 2 : 1);

    private bool Wrong(Fault fault) => _fault == fault && IsWrong && Interlocked.Increment(ref _times) % Every == 0;

    private string Issue(HttpContext context, FakeSession session)
    {
        var id = SessionId.New().Value;
        Secrets.Note(id);
        _sessions[id] = session;
        context.Response.Cookies.Append("session", id);
        return "ok";
    }

    private FakeSession? Find(HttpContext context) => _sessions.GetValueOrDefault(Cookie(context));

    private static string Cookie(HttpContext context) => context.Request.Cookies["session"] ?? "";

    private sealed class FakeSession(string user)
    {
        private long _n;

        public string User { get; set; } = user;

        /// <summary>What it answers is what it should have stored.</summary>
        public string Increment(int by)
        {
            lock (this)
            {
                var answer = _n + 1;
                _n += by;
                return answer.ToString(CultureInfo.InvariantCulture);
            }
        }
    }
}
