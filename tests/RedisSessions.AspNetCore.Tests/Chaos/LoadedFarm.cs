using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;

namespace RedisSessions.AspNetCore.Tests.Chaos;

/// <summary>One answered request of a load.</summary>
/// <param name="Sent">When it was sent, as a timestamp.</param>
/// <param name="Took">How long it took.</param>
/// <param name="Status">What it was answered; 0 when it was not.</param>
internal sealed record Sample(long Sent, TimeSpan Took, HttpStatusCode Status);

/// <summary>What an instance uses, as its /diagnostics says it.</summary>
internal sealed record Usage(long Heap, long Resident, int Threads, int PoolThreads, long Pending);

/// <summary>Instances as processes of their own, and visitors who write to and read from their sessions over HTTP while things break; all of it taken down.</summary>
internal sealed class LoadedFarm : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, MaxConnectionsPerServer = 500 }) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly string[] _ids;

    private LoadedFarm(TargetAppProcess[] instances, int sessions) => (Instances, _ids) = (instances, new string[sessions]);

    public TargetAppProcess[] Instances { get; }

    public SessionHistory History { get; } = new();

    public ConcurrentQueue<Sample> Samples { get; } = [];

    /// <summary>Answers that no promise allows, in words.</summary>
    public ConcurrentQueue<string> Wrong { get; } = [];

    public static async Task<LoadedFarm> StartAsync(int instances, int sessions, string[] settings, params string[] wrapper)
    {
        var farm = new LoadedFarm(await Task.WhenAll(Enumerable.Range(0, instances).Select(_ => TargetAppProcess.StartAsync(settings, Token, wrapper))), sessions);
        for (var i = 0; i < sessions; i++)
            await farm.SeedAsync(i);
        return farm;
    }

    /// <summary>Requests at a fixed rate, whether earlier ones were answered or not, until told otherwise; half of them write. Returns when all are answered.</summary>
    public async Task RunAsync(int perSecond, Func<bool> goOn)
    {
        var started = Stopwatch.GetTimestamp();
        var pending = new ConcurrentDictionary<Task, byte>();
        for (var i = 0; goOn(); i++)
        {
            var due = TimeSpan.FromSeconds((double)i / perSecond) - Stopwatch.GetElapsedTime(started);
            if (due > TimeSpan.FromMilliseconds(1))
                await Task.Delay(due, Token);
            var request = OneAsync(i);
            pending[request] = 0;
            _ = request.ContinueWith(done => pending.TryRemove(done, out byte _), TaskScheduler.Default);
        }

        await Task.WhenAll(pending.Keys);
    }

    /// <summary>As many requests as are answered, by some visitors at once.</summary>
    public Task RunClosedAsync(int visitors, Func<bool> goOn) => Task.WhenAll(Enumerable.Range(0, visitors).Select(async visitor =>
    {
        for (var i = visitor; goOn(); i += visitors)
            await OneAsync(i);
    }));

    /// <summary>A last look at every session, when nothing is broken any more; then the verdict.</summary>
    public async Task VerifyAsync()
    {
        await LookAtAllAsync();
        Assert.True(Wrong.IsEmpty, string.Join('\n', Wrong.Take(20)));
        History.Verify();
    }

    public async Task LookAtAllAsync()
    {
        for (var i = 0; i < _ids.Length; i++)
        {
            // One instance may still be on its way back.
            var session = i;
            await Poll.UntilAsync(async () => await LookAsync(session, session) == Outcome.Acknowledged, TimeSpan.FromSeconds(20), "the session can be read", Token);
        }
    }

    public Task<Outcome> PushAsync(int session, int instance) => History.PushAsync($"s{session}", 0, async token =>
    {
        var (outcome, _) = await SendAsync($"push?val={token}", session, instance);
        return outcome;
    });

    public Task<Outcome> LookAsync(int session, int instance) => History.LookAsync($"s{session}", 0, async () =>
    {
        var (outcome, body) = await SendAsync("log", session, instance);
        return (outcome, outcome == Outcome.Acknowledged && body != "none" ? body.Split(',', StringSplitOptions.RemoveEmptyEntries) : null);
    });

    /// <summary>Sends some other request with the cookie of a session; it is not taken down.</summary>
    public async Task<(Outcome Outcome, string Body)> SendAsync(string path, int session, int instance)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Instances[(uint)instance % Instances.Length].Address, path));
        request.Headers.TryAddWithoutValidation("Cookie", $"session={_ids[session]}");
        var sent = Stopwatch.GetTimestamp();
        try
        {
            using var response = await _client.SendAsync(request, Token);
            var body = await response.Content.ReadAsStringAsync(Token);
            Samples.Enqueue(new Sample(sent, Stopwatch.GetElapsedTime(sent), response.StatusCode));
            Secrets.Seen("an answer under chaos", body);
            if (response.Headers.Contains("Set-Cookie"))
                Wrong.Enqueue($"{path} of s{session} was answered {(int)response.StatusCode} with a new cookie");
            switch (response.StatusCode)
            {
                case HttpStatusCode.OK:
                    return (Outcome.Acknowledged, body);
                case HttpStatusCode.Conflict:
                    return (Outcome.Refused, body);
                case HttpStatusCode.ServiceUnavailable:
                    if (response.Headers.RetryAfter?.Delta is null)
                        Wrong.Enqueue($"{path} of s{session} was answered 503 without Retry-After");
                    return (Outcome.Unknown, body);
                default:
                    Wrong.Enqueue($"{path} of s{session} was answered {(int)response.StatusCode}");
                    return (Outcome.Unknown, body);
            }
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !Token.IsCancellationRequested)
        {
            // No answer. Whether that is allowed is the test's to say.
            Samples.Enqueue(new Sample(sent, Stopwatch.GetElapsedTime(sent), 0));
            return (Outcome.Unknown, "");
        }
    }

    public async Task<Usage> UsageAsync(int instance, bool collect) => (await _client.GetFromJsonAsync<Usage>(
        new Uri(Instances[instance].Address, $"diagnostics?collect={(collect ? "true" : "false")}"), Token))!;

    /// <summary>The time in which all but a share of the answers came.</summary>
    public TimeSpan Quantile(double share, Func<Sample, bool> which)
    {
        var took = Samples.Where(which).Select(sample => sample.Took).Order().ToArray();
        return took.Length == 0 ? TimeSpan.Zero : took[(int)((took.Length - 1) * share)];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in Instances)
            await instance.DisposeAsync();
        _client.Dispose();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Task<Outcome> OneAsync(int i)
    {
        var session = Random.Shared.Next(_ids.Length);
        return i % 2 == 0 ? PushAsync(session, i / 2) : LookAsync(session, i / 2);
    }

    private async Task SeedAsync(int session)
    {
        // The first request of a cold instance on a busy machine may take longer than a test's short time-outs allow.
        await Poll.UntilAsync(
            async () =>
            {
                using var response = await _client.GetAsync(new Uri(Instances[session % Instances.Length].Address, "seed"), Token);
                if (response.StatusCode != HttpStatusCode.OK)
                    return false;
                _ids[session] = response.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=', 2)[1];
                Secrets.Note(_ids[session]);
                return true;
            },
            TimeSpan.FromSeconds(20), "a session can be made", Token);
    }
}
