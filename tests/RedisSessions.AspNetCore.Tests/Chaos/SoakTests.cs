using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests.Chaos;

/// <summary>Full load for a while: what is alive in memory, threads and connections do not grow. <c>SOAK_SECONDS</c> says how long the one on demand is.</summary>
public sealed class SoakTests
{
    private const int Visitors = 16, Points = 10;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_short_soak_is_flat() => SoakAsync(TimeSpan.FromSeconds(15));

    [Fact(Explicit = true)]
    public Task A_long_soak_is_flat() => SoakAsync(TimeSpan.FromSeconds(
        int.Parse(Environment.GetEnvironmentVariable("SOAK_SECONDS") ?? "600", CultureInfo.InvariantCulture)));

    private static async Task SoakAsync(TimeSpan duration)
    {
        await using var redis = await RedisProcess.TryStartAsync([], Token);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: connections are counted on a server of our own");
        await using var app = await TargetAppProcess.StartAsync(redis!.Configuration, [], Token);
        using var admin = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync($"{redis.Configuration},allowAdmin=true");
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = app.Address };
        var (requests, wrong, goOn) = (0L, 0L, true);
        var load = Task.WhenAll(Enumerable.Range(0, Visitors).Select(_ => Task.Run(VisitAsync, Token)));

        // A tenth of the time, or a minute, for everything to be compiled and every pool to be filled.
        var started = Stopwatch.GetTimestamp();
        await Task.Delay(duration / Points > TimeSpan.FromMinutes(1) ? TimeSpan.FromMinutes(1) : duration * 0.3, Token);
        var points = new List<(double Minutes, long Heap, long Resident, int Threads, int Connections)>();
        while (Stopwatch.GetElapsedTime(started) < duration || points.Count < 4)
        {
            var usage = (await client.GetFromJsonAsync<Usage>("diagnostics?collect=true", Token))!;
            var clients = (await admin.GetServers()[0].ExecuteAsync("CLIENT", "LIST")).ToString();
            var connections = clients.Split('\n').Count(line => line.Contains("name=RedisSessions", StringComparison.Ordinal));
            points.Add((Stopwatch.GetElapsedTime(started).TotalMinutes, usage.Heap, usage.Resident, usage.Threads, connections));
            await Task.Delay(duration * 0.7 / Points, Token);
        }

        Volatile.Write(ref goOn, false);
        await load;

        // The median of each half: a peak is no slope, and two kilobytes that each push leaves behind are more than this in fifteen seconds.
        var (early, late) = (points[..(points.Count / 2)], points[(points.Count / 2)..]);
        var growth = Median(late.Select(point => point.Heap)) - Median(early.Select(point => point.Heap));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"MEASURED soak of {duration.TotalSeconds:F0} s: {requests} requests, {requests / Stopwatch.GetElapsedTime(started).TotalSeconds:F0}/s, {wrong} wrong; live heap KiB {string.Join(' ', points.Select(point => point.Heap >> 10))}, "
            + $"resident MiB {string.Join(' ', points.Select(point => point.Resident >> 20))}, threads {string.Join(' ', points.Select(point => point.Threads))}, connections {string.Join(' ', points.Select(point => point.Connections))}");
        Assert.Equal(0, wrong);
        Assert.True(requests > duration.TotalSeconds * 50, $"{requests} requests are no load");
        Assert.InRange(growth, long.MinValue, 1 << 20);
        Assert.InRange(late.Max(point => point.Threads), 0, early.Max(point => point.Threads) + 4);
        Assert.All(points, point => Assert.Equal(points[0].Connections, point.Connections));

        async Task VisitAsync()
        {
            while (Volatile.Read(ref goOn))
            {
                // A life: begins, is written to, read, logs in and out. Nothing of it is to stay.
                var id = "";
                foreach (var path in (string[])["seed", "add", "log", "push?val=a", "login?user=1", "all", "push?val=b", "read", "logout"])
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, path);
                    if (id.Length > 0)
                        request.Headers.TryAddWithoutValidation("Cookie", $"session={id}");
                    using var response = await client.SendAsync(request, Token);
                    Interlocked.Increment(ref requests);
                    if (response.StatusCode != HttpStatusCode.OK)
                        Interlocked.Increment(ref wrong);
                    if (response.Headers.TryGetValues("Set-Cookie", out var cookies))
                        id = cookies.Single().Split(';')[0].Split('=', 2)[1];
                }
            }
        }
    }

    private static long Median(IEnumerable<long> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
