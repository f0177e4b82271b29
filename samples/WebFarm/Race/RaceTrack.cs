using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http;
using WebFarm.Farm;
using WebFarm.Shop;

namespace WebFarm.Race;

/// <summary>Sends the increments through the balancer, as a browser would, each race with two new sessions of its own.</summary>
internal static class RaceTrack
{
    private const int Requests = 50;

    public static async Task<RaceResult> RunAsync(string balancer, CancellationToken cancellationToken)
    {
        // One after the other, so that neither takes the processor away from the other.
        var framework = await LapAsync(new Uri(new Uri(balancer), Contestants.Framework), cancellationToken);
        var ours = await LapAsync(new Uri(new Uri(balancer), Contestants.Ours), cancellationToken);
        return new RaceResult(framework, ours);
    }

    private static async Task<Lap> LapAsync(Uri route, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer(), UseProxy = false });
        client.DefaultRequestHeaders.Add(ApiEndpoints.Header, "race");
        // The first request makes the session and is not counted: what is raced for is one session, not fifty.
        using (var first = await client.PostAsync(route, null, cancellationToken))
            first.EnsureSuccessStatusCode();
        var before = await ReadAsync(client, route, cancellationToken);

        var clock = Stopwatch.StartNew();
        var answers = await Task.WhenAll(Enumerable.Range(0, Requests).Select(_ => IncrementAsync(client, route, cancellationToken)));
        clock.Stop();
        var kept = await ReadAsync(client, route, cancellationToken) - before;
        var answered = answers.OfType<string>().ToArray();
        var instances = answered.CountBy(static instance => instance)
            .OrderBy(static pair => pair.Key, StringComparer.Ordinal)
            .Select(static pair => $"{pair.Key} {pair.Value}");
        return new Lap(Requests, answered.Length, kept, (int)clock.ElapsedMilliseconds, string.Join(" · ", instances));
    }

    /// <returns>Which instance says that it stored the increment; null when none does.</returns>
    private static async Task<string?> IncrementAsync(HttpClient client, Uri route, CancellationToken cancellationToken)
    {
        using var answer = await client.PostAsync(route, null, cancellationToken);
        return answer.IsSuccessStatusCode && answer.Headers.TryGetValues(FarmView.AnsweredBy, out var instance) ? instance.First() : null;
    }

    private static async Task<int> ReadAsync(HttpClient client, Uri route, CancellationToken cancellationToken) =>
        int.Parse(await client.GetStringAsync(route, cancellationToken), CultureInfo.InvariantCulture);
}
