using System.Collections.Concurrent;
using RedisSessions.Consistency.Scripts;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http;

/// <summary>
/// The browsers of a run: each has several requests under way at once, to any process, and gives way to a new browser after a while.
/// </summary>
internal sealed class Crowd(HttpPlan plan, Farm farm, Recorder recorder)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(100);
    private readonly ConcurrentQueue<Browser> _all = [];

    public Task RunAsync(CancellationToken over) =>
        Task.WhenAll(Enumerable.Range(0, plan.Browsers).Select(place => RunPlaceAsync(new Random(plan.Seed * 1000 + place), over)));

    /// <summary>When all is well again, each browser looks at everything, on each process: what was acknowledged is there.</summary>
    public async Task ReadAtLastAsync(CancellationToken cancellationToken)
    {
        foreach (var browser in _all)
        {
            foreach (var process in farm.Processes)
                await ReadAsync(browser, process, cancellationToken);
        }
    }

    private async Task RunPlaceAsync(Random random, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            var browser = recorder.NewBrowser();
            var generator = new Generator(random, plan.Profile);
            var requests = new ConcurrentQueue<Plan>(
                Enumerable.Range(0, plan.RequestsPerBrowser).Select(_ => Next(generator, browser.Number, random)));
            _all.Enqueue(browser);
            await Task.WhenAll(Enumerable.Range(0, plan.Parallel).Select(_ => SendAllAsync(browser, requests, over)));
        }
    }

    private async Task SendAllAsync(Browser browser, ConcurrentQueue<Plan> requests, CancellationToken over)
    {
        while (!over.IsCancellationRequested && requests.TryDequeue(out var next))
        {
            using var leaving = new CancellationTokenSource();
            if (next.LeavesAfter is { } after)
                leaving.CancelAfter(after);
            var sent = await browser.SendAsync(farm.Processes[next.Process], next.Request, leaving.Token);
            recorder.Keep(sent);
            if (leaving.IsCancellationRequested && sent.Status is null)
                recorder.Note($"kill of a connection: the visitor of {next.Request.Id} has left");
            // A process that is being restarted refuses connections as fast as they are made.
            if (sent.Status is null)
                await Task.Delay(Breath, CancellationToken.None);
        }
    }

    /// <summary>What a browser is to ask is decided before the first request, so that the seed decides it.</summary>
    private Plan Next(Generator generator, int browser, Random random)
    {
        var request = generator.Next(browser);
        while (!plan.Takes(request))
            request = generator.Next(browser);
        var writes = request.Steps.SelectMany(Steps.All).Any(step => step.Writes() || step.Op is Op.Update or Op.CancelledUpdate);
        request = random.Next(12) switch
        {
            0 => request with { Access = SessionAccess.Exclusive },
            1 or 2 when !writes => request with { Access = SessionAccess.ReadOnly },
            _ => request,
        };
        return new Plan(request, random.Next(plan.Processes), random.Next(40) == 0 ? TimeSpan.FromMilliseconds(random.Next(1, 60)) : null);
    }

    private async Task ReadAsync(Browser browser, FarmProcess process, CancellationToken cancellationToken)
    {
        var reads = 0;
        try
        {
            await Poll.UntilAsync(
                async () =>
                {
                    var request = new Request($"b{browser.Number}p{process.Number}last{++reads}", [new Step(Op.All)]);
                    var sent = await browser.SendAsync(process, request, cancellationToken);
                    recorder.Keep(sent);
                    return sent.Status is not (null or 503);
                },
                Patience, "a store that works again answers", cancellationToken);
        }
        catch (TimeoutException)
        {
            recorder.Note(FormattableString.Invariant($"never-recovered: process {process.Number}"));
        }
    }

    private sealed record Plan(Request Request, int Process, TimeSpan? LeavesAfter);
}
