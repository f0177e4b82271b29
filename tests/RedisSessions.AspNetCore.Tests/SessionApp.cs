using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>A real Kestrel on a free port with sessions in the tests' store, and endpoints of the test's own.</summary>
internal sealed class SessionApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SessionApp(WebApplication app, FaultyHandler? store, CapturedLogs logs)
    {
        _app = app;
        Store = store!;
        Logs = logs;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public Uri Address { get; }

    /// <summary>The handler, between the engine and Redis, where a test can make it fail.</summary>
    public FaultyHandler Store { get; }

    public CapturedLogs Logs { get; }

    public IServiceProvider Services => _app.Services;

    public Browser NewBrowser() => new(Address);

    /// <param name="fixture">Where the store is.</param>
    /// <param name="map">The endpoints.</param>
    /// <param name="settings">Configuration, for example "Sessions:OnConflict=LastWriteWins".</param>
    /// <param name="environment">The hosting environment.</param>
    /// <param name="before">Middleware in front of the sessions.</param>
    public static async Task<SessionApp> StartAsync(
        StoreFixture fixture, Action<WebApplication> map, string[]? settings = null, string environment = "Development", Action<WebApplication>? before = null,
        Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        var logs = new CapturedLogs();
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Trace);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection((settings ?? []).Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])));
        builder.Services.AddRedisSessions().AddRedis(fixture.Configuration);
        builder.Services.AddSingleton<FaultyHandler>();
        var real = builder.Services.Last(service => service.ServiceType == typeof(ISessionHandler) && !service.IsKeyedService);
        builder.Services.Remove(real);
        builder.Services.AddSingleton<ISessionHandler>(provider => provider.GetRequiredService<FaultyHandler>());
        configure?.Invoke(builder);

        var app = builder.Build();
        before?.Invoke(app);
        app.UseRedisSessions();
        map(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new SessionApp(app, app.Services.GetRequiredService<FaultyHandler>(), logs);
    }

    /// <summary>What the system's signal to stop leads to.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }
}

/// <summary>The Redis handler, with switches to make it fail or wait.</summary>
internal sealed class FaultyHandler([FromKeyedServices("redis")] ISessionHandler inner) : ISessionHandler, ISessionLeases, ISessionIndex
{
    private int _reads, _commits;

    /// <summary>Thrown instead of reading.</summary>
    public bool ReadsFail { get; set; }

    /// <summary>Thrown instead of committing.</summary>
    public bool CommitsFail { get; set; }

    /// <summary>Runs before a read goes to the store.</summary>
    public Func<Task>? BeforeRead { get; set; }

    /// <summary>Runs before a commit goes to the store.</summary>
    public Func<Task>? BeforeCommit { get; set; }

    public SessionIdFormat IdFormat => inner.IdFormat;

    public int Reads => _reads;

    public int Commits => _commits;

    public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        if (BeforeRead is { } wait)
            await wait();
        return ReadsFail ? throw new SessionStoreException("redis", "read", "switched off by the test") : await inner.ReadAsync(key, idleTimeout, cancellationToken);
    }

    public async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _commits);
        if (BeforeCommit is { } wait)
            await wait();
        return CommitsFail
            ? throw new SessionStoreException("redis", "commit", "switched off by the test")
            : await inner.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
    }

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => inner.DeleteAsync(key, cancellationToken);

    public ValueTask<TimeSpan?> TryAcquireAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => Leases.TryAcquireAsync(key, lease, cancellationToken);

    public ValueTask<bool> RenewAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => Leases.RenewAsync(key, lease, cancellationToken);

    public ValueTask ReleaseAsync(SessionKey key, SessionLease lease, CancellationToken cancellationToken) => Leases.ReleaseAsync(key, lease, cancellationToken);

    public ValueTask<IDisposable?> WatchAsync(SessionKey key, Action released, CancellationToken cancellationToken) => Leases.WatchAsync(key, released, cancellationToken);

    public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken) => ((ISessionIndex)inner).FindAsync(userId, cancellationToken);

    private ISessionLeases Leases => (ISessionLeases)inner;
}
