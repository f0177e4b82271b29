using RedisSessions.LoadTests.Compare;
using RedisSessions.LoadTests.Servers;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.LoadTests.Scale;

/// <summary>A Redis with so many sessions, and an application over it.</summary>
internal sealed class SessionStock : IAsyncDisposable
{
    private const int Batch = 10_000, MostCookies = 20_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);
    private readonly RedisProcess _redis;
    private readonly RedisCounters _counters;
    private readonly Subject _app;

    private SessionStock(RedisProcess redis, RedisCounters counters, Subject app) => (_redis, _counters, _app) = (redis, counters, app);

    public Uri Address => _app.Address;

    /// <summary>Cookies of sessions from all over the stock, at most <see cref="MostCookies"/>.</summary>
    public IReadOnlyList<string> Cookies { get; private set; } = [];

    public int Sessions { get; private set; }

    /// <summary>What Redis says that one of the sessions takes, its name included, in bytes.</summary>
    public long BytesPerSession { get; private set; }

    /// <exception cref="UsageException">There is no redis-server.</exception>
    public static async Task<SessionStock> StartAsync(int sessions, CancellationToken cancellationToken)
    {
        var redis = await RedisProcess.TryStartAsync([], cancellationToken) ?? throw new UsageException("redis-server is not on the PATH.");
        var counters = await RedisCounters.ConnectAsync(redis.Configuration);
        var stock = new SessionStock(redis, counters, await Subject.OursAsync(Comparison.Ours, redis.Configuration, [], cancellationToken));
        await stock.FillAsync(sessions, cancellationToken);
        return stock;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _counters.DisposeAsync();
        await _redis.DisposeAsync();
    }

    /// <summary>One session is made by the application; the others are copies of its record under ids of their own. A record does not hold its id.</summary>
    private async Task FillAsync(int sessions, CancellationToken cancellationToken)
    {
        await _app.SeedAsync(1, cancellationToken);
        if (!SessionId.TryParse(_app.Cookies[0], out var first))
            throw new InvalidOperationException("The cookie of the application is no session id.");
        var database = _counters.Database;
        var record = await database.StringGetAsync(Key(first));
        if (record.IsNull)
            throw new InvalidOperationException("The application's session is not where it should be.");
        BytesPerSession = await MemoryUsageAsync(database, Key(first));

        List<string> cookies = [first.Value];
        var every = Math.Max(1, sessions / MostCookies);
        for (var i = 1; i < sessions; i++)
        {
            var id = SessionId.New();
            await database.StringSetAsync(Key(id), record, Lifetime, flags: CommandFlags.FireAndForget);
            if (i % every == 0 && cookies.Count < MostCookies)
                cookies.Add(id.Value);
            // One answer now and then, so that what is sent does not pile up.
            if (i % Batch == 0)
                await database.PingAsync();
        }

        await database.PingAsync();
        // What is there beside them is a key of the handler's self-test at most.
        if ((long)await database.ExecuteAsync("DBSIZE") < sessions)
            throw new InvalidOperationException("Not all sessions are in Redis.");
        (Cookies, Sessions) = (cookies, sessions);
    }

    public static async Task<long> MemoryUsageAsync(IDatabase database, RedisKey key) => (long)await database.ExecuteAsync("MEMORY", "USAGE", key, "SAMPLES", "0");

    private static RedisKey Key(SessionId id) => "session:" + SessionKey.From(id).Value;
}
