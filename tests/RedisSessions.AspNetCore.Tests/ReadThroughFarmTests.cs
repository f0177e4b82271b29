using System.Net;
using System.Text.Json;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>Sessions move from one store to another and back while visitors use them and instances are killed.</summary>
public sealed class ReadThroughFarmTests(StoreFixture store) : IAsyncDisposable
{
    private const int Sessions = 1_000, Visitors = 8;

    // Requests of different visitors that follow each other go to the same session, so that several of them are under way at once.
    private const int AtOnce = 2, Round = Sessions * AtOnce;

    private readonly string _directory = Directory.CreateTempSubdirectory("sessions-").FullName;
    private readonly string _prefix = $"move-{Guid.NewGuid():N}:";
    private readonly string[] _ids = new string[Sessions];
    private readonly int[] _sent = new int[Sessions], _acknowledged = new int[Sessions];
    private TargetAppProcess[] _instances = [];
    private volatile Generation _now = new(new Browser());
    private int _requests;

    [Fact]
    public async Task A_thousand_sessions_move_to_Redis_and_back_in_use_and_nothing_that_was_acknowledged_is_lost()
    {
        await SwitchAsync("file");
        await Task.WhenAll(Enumerable.Range(0, Visitors).Select(async visitor =>
        {
            for (var i = visitor; i < Sessions; i += Visitors)
                _ids[i] = (await _now.Browser.SendAsync($"/set?key=account.current_user_id&val={i}", null)).Id!;
        }));

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var load = Task.WhenAll(Enumerable.Range(0, Visitors).Select(_ => VisitAsync(enough.Token)));
        await UsedAsync(Round / 2, load);
        await SwitchAsync("redis", readThrough: "file");
        // Half of them have moved when the instances are killed, some in the middle of it.
        await UsedAsync(Round / 2, load);
        await SwitchAsync("redis", readThrough: "file");
        await UsedAsync(Round + 2 * Visitors, load);
        Assert.DoesNotContain(Directory.EnumerateFiles(_directory), file => !Path.HasExtension(file));

        await SwitchAsync("file", readThrough: "redis");
        await UsedAsync(Round / 2, load);
        await SwitchAsync("file", readThrough: "redis");
        await UsedAsync(Round + 2 * Visitors, load);
        await enough.CancelAsync();
        await load;

        Assert.Equal(Sessions, Directory.EnumerateFiles(_directory).Count(file => !Path.HasExtension(file)));
        await using var redis = await ConnectionMultiplexer.ConnectAsync(store.Configuration);
        await foreach (var _ in redis.GetServers()[0].KeysAsync(pattern: _prefix + new string('?', 43)))
            Assert.Fail("a session is left in the old store");
        for (var i = 0; i < Sessions; i++)
        {
            var all = JsonDocument.Parse((await _now.Browser.SendAsync("/all", $"session={_ids[i]}")).Body).RootElement;
            Assert.InRange(all.GetProperty("n").GetInt32(), _acknowledged[i], _sent[i]);
        }

        // Few had an unknown outcome: those that were under way at a kill.
        Assert.InRange(_sent.Sum() - _acknowledged.Sum(), 0, 5 * Visitors);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        _now.Browser.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Kills the instances and starts two others.</summary>
    private async Task SwitchAsync(string handler, string readThrough = "")
    {
        await Task.WhenAll(_instances.Select(instance => instance.DisposeAsync().AsTask()));
        string[] settings =
        [
            $"--Sessions:Handler={handler}", $"--Sessions:ReadThrough={readThrough}", $"--Sessions:File:Path={_directory}", "--Sessions:File:FlushToDisk=false",
            $"--Sessions:Redis:Configuration={store.Configuration}", $"--Sessions:Redis:KeyPrefix={_prefix}",
        ];
        _instances = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => TargetAppProcess.StartAsync(settings, TestContext.Current.CancellationToken)));
        var before = _now;
        _now = new Generation(new Browser([.. _instances.Select(instance => instance.Address)]));
        before.Over.SetResult();
    }

    private async Task UsedAsync(int requests, Task load)
    {
        var until = Volatile.Read(ref _requests) + requests;
        await Poll.UntilAsync(() => load.IsCompleted || Volatile.Read(ref _requests) >= until, TimeSpan.FromMinutes(2), "the sessions were used", TestContext.Current.CancellationToken);
        if (load.IsCompleted)
            await load;
    }

    private async Task VisitAsync(CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            var request = Interlocked.Increment(ref _requests);
            var i = request / AtOnce % Sessions;
            // Reading is done as often as writing, and writing with and without having read.
            await SendAsync(i, request % 2 == 0 ? "/add" : "/incr", writes: true);
            await SendAsync(i, "/read", writes: false);
        }
    }

    private async Task SendAsync(int i, string path, bool writes)
    {
        var now = _now;
        if (writes)
            Interlocked.Increment(ref _sent[i]);
        try
        {
            var answer = await now.Browser.SendAsync(path, $"session={_ids[i]}");
            Assert.Equal((HttpStatusCode.OK, null), (answer.Status, answer.SetCookie));
            if (writes)
                Interlocked.Increment(ref _acknowledged[i]);
            else
                Assert.Equal(i, int.Parse(answer.Body));
        }
        catch (HttpRequestException)
        {
            // Killed: stored or not, nobody was told; even when it says that the connection was refused, because the client tries by itself once more.
            await now.Over.Task.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The instances of one configuration, as their visitors reach them, until there are others.</summary>
    private sealed record Generation(Browser Browser)
    {
        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
