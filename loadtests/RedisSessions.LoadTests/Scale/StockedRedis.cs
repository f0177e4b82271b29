using RedisSessions.LoadTests.Compare;
using RedisSessions.LoadTests.Servers;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.LoadTests.Scale;

/// <summary>
/// A Redis with few sessions in one database and many in another, and an application that is given the one or the other to use: the processes are the same, and what
/// differs is how many sessions there are.
/// </summary>
internal sealed class StockedRedis : IAsyncDisposable
{
    public const int MostCookies = 20_000;

    private const int Batch = 10_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);
    private readonly RedisProcess _redis;
    private readonly RedisCounters _counters;
    private readonly Subject _app;
    private SessionStock? _inUse;

    private StockedRedis(RedisProcess redis, RedisCounters counters, Subject app) => (_redis, _counters, _app) = (redis, counters, app);

    public Uri Address => _app.Address;

    public SessionStock Few { get; private set; } = new(0, []);

    public SessionStock Many { get; private set; } = new(0, []);

    /// <summary>What Redis says that one of the sessions takes, its name included, in bytes.</summary>
    public long BytesPerSession { get; private set; }

    /// <exception cref="UsageException">There is no redis-server.</exception>
    public static async Task<StockedRedis> StartAsync(int few, int many, CancellationToken cancellationToken)
    {
        var redis = await RedisProcess.TryStartAsync([], cancellationToken) ?? throw new UsageException("redis-server is not on the PATH.");
        var counters = await RedisCounters.ConnectAsync(redis.Configuration);
        var stocked = new StockedRedis(redis, counters, await Subject.OursAsync(Comparison.Ours, redis.Configuration, [], cancellationToken));
        try
        {
            await stocked.FillAsync(few, many, cancellationToken);
            return stocked;
        }
        catch
        {
            await stocked.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on the application has these sessions.</summary>
    public async Task UseAsync(SessionStock stock)
    {
        if (stock != _inUse)
            await SwapAsync(_counters.Database);
        _inUse = stock;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _counters.DisposeAsync();
        await _redis.DisposeAsync();
    }

    /// <summary>One session is made by the application; the others are copies of its record under ids of their own: a record does not hold its id.</summary>
    private async Task FillAsync(int few, int many, CancellationToken cancellationToken)
    {
        await _app.SeedAsync(1, cancellationToken);
        if (!SessionId.TryParse(_app.Cookies[0], out var first))
            throw new InvalidOperationException("The cookie of the application is no session id.");
        var database = _counters.Database;
        var record = await database.StringGetAsync(Key(first));
        if (record.IsNull)
            throw new InvalidOperationException("The application's session is not where it should be.");
        BytesPerSession = await MemoryUsageAsync(database, Key(first));
        Few = await FillAsync(database, few, record, cancellationToken);
        await SwapAsync(database);
        _inUse = Many = await FillAsync(database, many, record, cancellationToken);
    }

    private static async Task<SessionStock> FillAsync(IDatabase database, int sessions, RedisValue record, CancellationToken cancellationToken)
    {
        List<string> cookies = [];
        var every = Math.Max(1, sessions / MostCookies);
        for (var i = 0; i < sessions; i++)
        {
            var id = SessionId.New();
            await database.StringSetAsync(Key(id), record, Lifetime, flags: CommandFlags.FireAndForget);
            if (i % every == 0 && cookies.Count < MostCookies)
                cookies.Add(id.Value);
            // One answer now and then, so that what is sent does not pile up.
            if (i % Batch == 0)
                await database.PingAsync().WaitAsync(cancellationToken);
        }

        await database.PingAsync();
        // What is there beside them is a key of the handler's self-test at most, and the session that was copied.
        return (long)await database.ExecuteAsync("DBSIZE") >= sessions
            ? new SessionStock(sessions, cookies)
            : throw new InvalidOperationException("Not all sessions are in Redis.");
    }

    public static async Task<long> MemoryUsageAsync(IDatabase database, RedisKey key) => (long)await database.ExecuteAsync("MEMORY", "USAGE", key, "SAMPLES", "0");

    // Who is connected to the one has the other from then on.
    private static Task<RedisResult> SwapAsync(IDatabase database) => database.ExecuteAsync("SWAPDB", "0", "1");

    private static RedisKey Key(SessionId id) => "session:" + SessionKey.From(id).Value;
}
