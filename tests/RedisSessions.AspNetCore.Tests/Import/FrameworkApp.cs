using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.StackExchangeRedis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSessions.AspNetCore.Tests.Import;

/// <summary>Where an application comes from: the framework's session over its Redis cache, and what it shares with the one it becomes.</summary>
internal sealed class FrameworkApp(StoreFixture store, string cookieName = ".AspNetCore.Session") : IDisposable
{
    /// <summary>What a session holds, one of the keys being a name of ours.</summary>
    public static readonly (string Key, string Value)[] Ada = [("user", "ada"), ("cart.lines", "3"), ("_flash", "a name of ours")];

    /// <summary>The cache of both applications.</summary>
    public WatchedCache Cache { get; } = new(new RedisCache(Options.Create(
        new RedisCacheOptions { Configuration = store.Configuration, InstanceName = $"import-{Guid.NewGuid():N}:" })));

    /// <summary>The key ring of both.</summary>
    public IDataProtectionProvider Keys { get; set; } = new EphemeralDataProtectionProvider();

    /// <summary>A visitor of the application as it was.</summary>
    /// <param name="values">What its session holds.</param>
    /// <returns>The cookie that the browser has: <c>name=value</c>.</returns>
    public async Task<string> VisitAsync(params (string Key, string Value)[] values)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSession(options => options.Cookie.Name = cookieName);
        Share(builder.Services);
        await using var app = builder.Build();
        app.UseSession();
        app.MapGet("/", (HttpContext context) =>
        {
            foreach (var (key, value) in values)
                context.Session.SetString(key, value);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var browser = new Browser(new Uri(app.Urls.Single())) { CookieName = cookieName };
        var answer = await browser.GetAsync("/");
        // The framework commits after the response.
        await TestServers.Poll.UntilAsync(() => Cache.Key is not null, TimeSpan.FromSeconds(10), "the session is stored", TestContext.Current.CancellationToken);
        return answer.SetCookie!.Split(';')[0];
    }

    /// <summary>What it becomes.</summary>
    public Task<SessionApp> BecomesAsync(params string[] settings) => SessionApp.StartAsync(
        store,
        app =>
        {
            app.MapGet("/get", (HttpContext context, string key) => context.Session.GetString(key) ?? "none");
            app.MapGet("/readonly", (HttpContext context, string key) => context.Session.GetString(key) ?? "none").WithSessionAccess(SessionAccess.ReadOnly);
            app.MapGet("/set", (HttpContext context, string key) => context.Session.SetString(key, "new"));
            app.MapGet("/keys", (HttpContext context) => string.Join(',', context.Session.Keys.Order(StringComparer.Ordinal)));
            app.MapGet("/login", (Session session) => session.RegenerateId(deleteOld: true));
            app.MapGet("/logout", (Session session, bool expire) => session.Destroy(expire));
            app.MapGet("/path", (Session session, string key) => session.Get<string>(key));
        },
        settings,
        configure: builder =>
        {
            Share(builder.Services);
            new RedisSessionsBuilder(builder.Services).Import(ImportFrom.AspNetCoreSession(cookieName));
        });

    /// <summary>Whether an answer makes the browser forget the old cookie.</summary>
    public static bool Expires(Answer answer, string name = ".AspNetCore.Session") =>
        answer.Message.Headers.TryGetValues("Set-Cookie", out var cookies)
        && cookies.Any(cookie => cookie.StartsWith($"{name}=; expires=Thu, 01 Jan 1970", StringComparison.Ordinal));

    /// <summary>A cookie's value, as the framework makes it.</summary>
    public static string Protect(IDataProtectionProvider keys, string purpose, string text) =>
        Convert.ToBase64String(keys.CreateProtector(purpose).Protect(Encoding.UTF8.GetBytes(text))).TrimEnd('=');

    /// <summary>The id that a cookie leads to here.</summary>
    public static string Derived(string cookie) => Convert.ToBase64String(SHA256.HashData(
            Encoding.UTF8.GetBytes("RedisSessions import " + Uri.UnescapeDataString(cookie.Split('=', 2)[1]))))
        .TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public void Dispose() => Cache.Dispose();

    private void Share(IServiceCollection services) => services.AddSingleton<IDistributedCache>(Cache).AddSingleton(Keys);
}

/// <summary>A cache that notes what is done with it, and fails when it is told to.</summary>
internal sealed class WatchedCache(RedisCache inner) : IDistributedCache, IDisposable
{
    private int _reads, _removals;

    /// <summary>The key that was last stored.</summary>
    public string? Key { get; private set; }

    public int Reads => _reads;

    public int Removals => _removals;

    public bool ReadsFail { get; set; }

    public bool RemovalsFail { get; set; }

    /// <summary>The last record that was stored, if it is still there.</summary>
    public byte[]? Record
    {
        get => inner.Get(Key!);
        set => inner.Set(Key!, value!, new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(20) });
    }

    public byte[]? Get(string key) => inner.Get(key);

    public Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        Interlocked.Increment(ref _reads);
        return ReadsFail ? throw new TimeoutException("switched off by the test") : inner.GetAsync(key, token);
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => inner.Set(key, value, options);

    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        await inner.SetAsync(key, value, options, token);
        Key = key;
    }

    public void Refresh(string key) => inner.Refresh(key);

    public Task RefreshAsync(string key, CancellationToken token = default) => inner.RefreshAsync(key, token);

    public void Remove(string key) => inner.Remove(key);

    public Task RemoveAsync(string key, CancellationToken token = default)
    {
        Interlocked.Increment(ref _removals);
        return RemovalsFail ? throw new TimeoutException("switched off by the test") : inner.RemoveAsync(key, token);
    }

    public void Dispose() => inner.Dispose();
}
