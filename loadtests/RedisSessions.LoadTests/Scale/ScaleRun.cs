using System.Globalization;
using System.Runtime.InteropServices;
using RedisSessions.LoadTests.Compare;
using RedisSessions.LoadTests.Http;
using RedisSessions.LoadTests.Reporting;
using RedisSessions.LoadTests.Servers;
using RedisSessions.TestServers;

namespace RedisSessions.LoadTests.Scale;

/// <summary>How it is run.</summary>
/// <param name="Sessions">How many sessions the many are.</param>
/// <param name="Rounds">How often each of the two has its turn.</param>
/// <param name="Duration">How long a turn lasts.</param>
internal sealed record ScaleSettings(int Sessions, int Rounds, TimeSpan Duration);

/// <summary>The same requests to few sessions and to many in one Redis, in turns; and how many bytes a session takes, beside the framework's.</summary>
internal sealed class ScaleRun(ScaleSettings settings, Action<string> progress)
{
    public const int Few = 1_000;

    private const double MostLatency = 1.1, MostBytes = 1.1;

    // So few that nobody queues for the processor: what is looked for is in the latency of one request.
    private const int Connections = 2;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);

    public async Task<Report> RunAsync(CancellationToken cancellationToken)
    {
        progress("filling");
        var framework = await FrameworkBytesAsync(cancellationToken);
        await using var redis = await StockedRedis.StartAsync(Few, settings.Sessions, cancellationToken);
        var (few, many) = (redis.Few, redis.Many);
        progress($"{few.Sessions} sessions in one database, {many.Sessions} in the other");

        Route[] routes = [Route.Read, Route.Increment];
        foreach (var route in routes)
        {
            await TakeTurnAsync(redis, few, route, WarmUp);
            await TakeTurnAsync(redis, many, route, WarmUp);
        }

        var medians = routes.ToDictionary(route => route.Name, _ => new List<(double Few, double Many)>());
        for (var round = 1; round <= settings.Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var route in routes)
            {
                // Who begins changes, so that neither always follows the other.
                var (first, second) = round % 2 == 1 ? (few, many) : (many, few);
                var (a, b) = (await TakeTurnAsync(redis, first, route, settings.Duration), await TakeTurnAsync(redis, second, route, settings.Duration));
                medians[route.Name].Add(round % 2 == 1 ? (a, b) : (b, a));
            }

            progress($"round {round} of {settings.Rounds}");
        }

        return Report(redis, framework, medians);
    }

    private Report Report(StockedRedis redis, long framework, Dictionary<string, List<(double Few, double Many)>> medians)
    {
        var (few, many) = (redis.Few, redis.Many);
        var ratios = medians.ToDictionary(route => route.Key, route => Spread.Of(route.Value.Select(pair => pair.Many / pair.Few)));
        var bytes = redis.BytesPerSession / (double)framework;
        return new Report(
            "What a request costs as sessions grow",
            [
                string.Create(CultureInfo.InvariantCulture, $"{settings.Rounds} rounds in turns of {settings.Duration.TotalSeconds:0.#} s, {Connections} connections, {few.Cookies.Count} of {few.Sessions} and {many.Cookies.Count} of {many.Sessions} sessions are visited"),
                $"{RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}",
            ],
            [
                new ReportTable("Median latency, µs", ["", $"{few.Sessions} sessions", $"{many.Sessions} sessions", "ratio"],
                    [.. medians.Select(route => (string[])[route.Key, Spread.Of(route.Value.Select(pair => pair.Few)).ToString("F0"), Spread.Of(route.Value.Select(pair => pair.Many)).ToString("F0"), ratios[route.Key].ToString("F2")])]),
                new ReportTable("Bytes in Redis of a session of 1 KB (MEMORY USAGE)", ["", "bytes"],
                    [[Comparison.Ours, Text(redis.BytesPerSession)], [Comparison.Framework, Text(framework)]]),
            ],
            [],
            [
                .. ratios.Select(route => new Promise(
                    string.Create(CultureInfo.InvariantCulture, $"the median of {route.Key} with {many.Sessions} sessions at most {MostLatency} x that with {few.Sessions}"), route.Value.ToString("F2"), route.Value.Median <= MostLatency)),
                new Promise(string.Create(CultureInfo.InvariantCulture, $"at most {MostBytes} x the framework's bytes"), bytes.ToString("F2", CultureInfo.InvariantCulture), bytes <= MostBytes),
            ]);
    }

    private static async Task<long> FrameworkBytesAsync(CancellationToken cancellationToken)
    {
        var keys = Directory.CreateTempSubdirectory("peers-").FullName;
        await using var redis = await RedisProcess.TryStartAsync([], cancellationToken) ?? throw new UsageException("redis-server is not on the PATH.");
        await using var counters = await RedisCounters.ConnectAsync(redis.Configuration);
        await using (var peer = await Subject.PeerAsync(Comparison.FrameworkAsync, "framework-async", redis.Configuration, keys, cancellationToken))
            await peer.SeedAsync(1, cancellationToken);
        Directory.Delete(keys, recursive: true);
        var key = (StackExchange.Redis.RedisKey)(string)(await counters.Database.ExecuteAsync("RANDOMKEY"))!;
        return await StockedRedis.MemoryUsageAsync(counters.Database, key);
    }

    /// <returns>The median latency in microseconds.</returns>
    private static async Task<double> TakeTurnAsync(StockedRedis redis, SessionStock stock, Route route, TimeSpan duration)
    {
        await redis.UseAsync(stock);
        using var load = new PollingLoad(redis.Address, Connections, [.. stock.Cookies.Select(cookie => RequestBytes.Get(redis.Address, route.Path(0), cookie))], route.IsRight);
        var result = await Task.Factory.StartNew(() => load.Run(duration), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return result.Wrong == 0 ? result.Latency.GetValueAtPercentile(50) : throw new InvalidOperationException($"{result.Wrong} answers of {route.Name} were wrong.");
    }

    private static string Text(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
