using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>Three instances as processes of their own over one store: what a web farm promises.</summary>
public sealed class FarmTests(FarmTests.Farm farm) : IClassFixture<FarmTests.Farm>
{
    public sealed class Farm(StoreFixture store) : IAsyncLifetime
    {
        private TargetAppProcess[] _instances = [];

        public StoreFixture Store => store;

        public Uri[] Addresses => [.. _instances.Select(instance => instance.Address)];

        public async ValueTask InitializeAsync() => _instances = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ =>
            TargetAppProcess.StartAsync(store.Configuration, [], TestContext.Current.CancellationToken)));

        public async ValueTask DisposeAsync()
        {
            foreach (var instance in _instances)
                await instance.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(100, 0)]
    [InlineData(50, 20)]
    public async Task Concurrent_increments_all_count_and_each_gets_its_own_answer(int count, int delay)
    {
        using var browser = await SeededAsync();
        var answers = await browser.AtOnceAsync(count, _ => $"/incr?delay={delay}");
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(Enumerable.Range(1, count), answers.Select(answer => int.Parse(answer.Body)).Order());
        Assert.Equal(count, (await AllAsync(browser)).GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task Concurrent_blind_additions_all_count()
    {
        using var browser = await SeededAsync();
        Assert.All(await browser.AtOnceAsync(100, _ => "/add"), answer => Assert.Equal("ok", answer.Body));
        Assert.Equal(100, (await AllAsync(browser)).GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task Two_writers_of_different_keys_both_survive_fifty_times_out_of_fifty()
    {
        for (var round = 0; round < 50; round++)
        {
            using var browser = await SeededAsync();
            await browser.AtOnceAsync(2, i => $"/set?key=k{i}&val=v{i}&delay=5");
            var all = await AllAsync(browser);
            Assert.Equal(("v0", "v1"), (all.GetProperty("k0").GetString(), all.GetProperty("k1").GetString()));
        }
    }

    [Fact]
    public async Task A_naive_read_and_write_is_stored_or_refused_and_never_lost()
    {
        using var browser = await SeededAsync();
        var answers = await browser.AtOnceAsync(60, _ => "/naive?delay=5");
        var stored = answers.Count(answer => answer.Status == HttpStatusCode.OK);
        Assert.InRange(stored, 1, 59);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer =>
        {
            Assert.Equal(HttpStatusCode.Conflict, answer.Status);
            Assert.True(answer.IsProblem);
        });
        Assert.Equal(stored, (await AllAsync(browser)).GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task Readers_never_queue()
    {
        using var browser = await SeededAsync();
        await browser.AtOnceAsync(20, _ => "/slowread?delay=0");
        // A queue would take 20 x 500 ms. The bound leaves room for a busy machine and none for a queue.
        var started = Stopwatch.GetTimestamp();
        var answers = await browser.AtOnceAsync(20, _ => "/slowread?delay=500");
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5), $"20 readers took {Stopwatch.GetElapsedTime(started)}");
        Assert.All(answers, answer => Assert.Equal("48151623", answer.Body));
    }

    [Fact]
    public async Task A_read_costs_one_command_and_a_write_two()
    {
        if (!farm.Store.IsRedis)
            Assert.Skip("no Redis here: Garnet has no INFO commandstats.");
        // A server of its own: commandstats counts for everybody.
        await using var redis = await RedisProcess.TryStartAsync([], TestContext.Current.CancellationToken);
        if (redis is null)
            Assert.Skip("no redis-server on the PATH.");
        await using var app = await TargetAppProcess.StartAsync(redis.Configuration, [], TestContext.Current.CancellationToken);
        using var browser = new Browser(app.Address);
        await browser.GetAsync("/seed");
        await browser.GetAsync("/set?key=a&val=0");

        await using var admin = await ConnectionMultiplexer.ConnectAsync(redis.Configuration + ",allowAdmin=true");
        var server = admin.GetServers()[0];
        Assert.Equal<string>(["getex=20"], await CommandsAsync(() => browser.GetAsync("/read")));
        // What the script itself calls is counted by the server too; it is no round trip.
        Assert.Equal<string>(["evalsha=20", "getex=20", "(getrange=20)", "(set=20)"], await CommandsAsync(() => browser.GetAsync("/set?key=a&val=1")));
        Assert.Empty(await CommandsAsync(() => browser.GetAsync("/hello")));

        async Task<string[]> CommandsAsync(Func<Task> request)
        {
            await server.ConfigResetStatisticsAsync();
            for (var i = 0; i < 20; i++)
                await request();
            var stats = await server.InfoAsync("commandstats");
            return [.. stats.SelectMany(section => section)
                .Select(pair => (Name: pair.Key["cmdstat_".Length..], Calls: pair.Value.Split(',')[0]["calls=".Length..]))
                .Where(pair => pair.Name is not ("info" or "config|resetstat" or "ping" or "client|setinfo"))
                .Select(pair => pair.Name is "set" or "getrange" ? $"({pair.Name}={pair.Calls})" : $"{pair.Name}={pair.Calls}")
                .OrderBy(text => text.StartsWith('(')).ThenBy(text => text, StringComparer.Ordinal)];
        }
    }

    [Fact]
    public async Task After_a_login_the_old_id_is_dead_and_its_requests_set_no_cookie()
    {
        using var browser = await SeededAsync();
        var old = browser.Id!;
        var slowWrite = browser.SendAsync("/set?key=late&val=1&delay=1000", $"session={old}");
        var slowRead = browser.SendAsync("/slowread?delay=1000", $"session={old}");
        await HasBegunAsync(slowWrite, slowRead);

        var login = await browser.GetAsync("/login?user=7");
        Assert.Equal("ok", login.Body);
        Assert.NotEqual(old, browser.Id);
        Assert.Contains("no-store", login.Message.Headers.CacheControl!.ToString(), StringComparison.Ordinal);

        var (write, read) = (await slowWrite, await slowRead);
        Assert.Equal((HttpStatusCode.Conflict, null), (write.Status, write.SetCookie));
        Assert.Equal((HttpStatusCode.OK, null), (read.Status, read.SetCookie));

        foreach (var path in new[] { "/read", "/all", "/read" })
        {
            var answer = await browser.SendAsync(path, $"session={old}");
            Assert.Contains(answer.Body, new[] { "", "{}" });
            Assert.Null(answer.SetCookie);
        }

        var straggler = await browser.SendAsync("/set?key=late&val=2", $"session={old}");
        Assert.Equal((HttpStatusCode.Conflict, null), (straggler.Status, straggler.SetCookie));
        Assert.Equal("7", (await browser.GetAsync("/read")).Body);
        Assert.False((await AllAsync(browser)).TryGetProperty("late", out _));
    }

    [Fact]
    public async Task After_a_logout_nothing_brings_the_session_back()
    {
        using var browser = await SeededAsync();
        var old = browser.Id!;
        var slow = browser.SendAsync("/set?key=late&val=1&delay=1000", $"session={old}");
        await HasBegunAsync(slow);

        var logout = await browser.GetAsync("/logout");
        Assert.StartsWith("session=;", logout.SetCookie, StringComparison.Ordinal);
        Assert.Contains("expires=Thu, 01 Jan 1970", logout.SetCookie, StringComparison.Ordinal);

        var late = await slow;
        Assert.Equal((HttpStatusCode.Conflict, null), (late.Status, late.SetCookie));
        Assert.Equal("{}", (await browser.SendAsync("/all", $"session={old}")).Body);
    }

    [Fact]
    public async Task Requests_around_a_rotation_land_in_the_same_session()
    {
        using var browser = await SeededAsync();
        var old = browser.Id!;
        var slow = Enumerable.Range(0, 6).Select(i => browser.SendAsync($"/set?key=r{i}&val=1&delay=1000", $"session={old}")).ToArray();
        await HasBegunAsync(slow);
        var rotations = await browser.AtOnceAsync(5, _ => "/rotate");
        browser.Id = Assert.Single(rotations, answer => answer.Id is not null).Id;
        Assert.All(await Task.WhenAll(slow), answer => Assert.Equal((HttpStatusCode.OK, null), (answer.Status, answer.SetCookie)));

        var all = await AllAsync(browser);
        for (var i = 0; i < 6; i++)
            Assert.Equal("1", all.GetProperty($"r{i}").GetString());
        Assert.Equal("48151623", (await browser.SendAsync("/read", $"session={old}")).Body);
    }

    public static TheoryData<string, string> BadIds => new()
    {
        { "unknown", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_') },
        { "malformed", "../../etc/passwd" },
        { "too short", "abc" },
        { "oversized", new string('A', 64 * 1024) },
        { "not ASCII", "\u00ff\u00fe\u00e9bc" },
        { "empty", "" },
    };

    [Theory]
    [MemberData(nameof(BadIds))]
    public async Task A_bad_id_is_an_empty_session_and_is_not_adopted(string kind, string id)
    {
        using var browser = new Browser(farm.Addresses);
        foreach (var path in new[] { "/read", "/all" })
        {
            var answer = await browser.SendAsync(path, $"session={id}");
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.Contains(answer.Body, new[] { "", "{}" });
            Assert.Null(answer.SetCookie);
        }

        var write = await browser.SendAsync("/set?key=a&val=1", $"session={id}");
        Assert.Equal(HttpStatusCode.OK, write.Status);
        Assert.NotNull(write.Id);
        Assert.True(write.Id != id, $"the {kind} id was adopted");
        if (SessionId.TryParse(id, out var wellFormed))
        {
            await using var redis = await ConnectionMultiplexer.ConnectAsync(farm.Store.Configuration);
            Assert.False(await redis.GetDatabase().KeyExistsAsync($"session:{SessionKey.From(wellFormed)}"));
        }
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("of an unknown format")]
    [InlineData("random")]
    [InlineData("with a broken payload")]
    public async Task A_damaged_record_is_a_503_and_stays_as_it_is(string damage)
    {
        using var browser = await SeededAsync();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(farm.Store.Configuration);
        Assert.True(SessionId.TryParse(browser.Id, out var id));
        RedisKey key = $"session:{SessionKey.From(id)}";
        var bytes = (byte[])(await redis.GetDatabase().StringGetAsync(key))!;
        switch (damage)
        {
            case "truncated": bytes = bytes[..150]; break;
            case "of an unknown format": bytes[2] = 9; break;
            case "random": Random.Shared.NextBytes(bytes); break;
            default: bytes.AsSpan(RecordFormat.HeaderLength).Fill(0xc1); break;
        }

        await redis.GetDatabase().StringSetAsync(key, bytes);
        foreach (var path in new[] { "/read", "/set?key=a&val=1", "/login?user=1", "/logout" })
        {
            var answer = await browser.SendAsync(path, $"session={browser.Id}");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, null), (answer.Status, answer.SetCookie));
            Assert.True(answer.Message.Headers.RetryAfter?.Delta > TimeSpan.Zero);
            Assert.DoesNotContain(browser.Id!, answer.Body, StringComparison.Ordinal);
        }

        Assert.Equal(bytes, (byte[])(await redis.GetDatabase().StringGetAsync(key))!);
    }

    private async Task<Browser> SeededAsync()
    {
        var browser = new Browser(farm.Addresses);
        Assert.Equal("ok", (await browser.GetAsync("/seed")).Body);
        return browser;
    }

    private static async Task<JsonElement> AllAsync(Browser browser) => JsonDocument.Parse((await browser.GetAsync("/all")).Body).RootElement;

    /// <summary>
    /// The slow requests wait a second after reading their session; a quick one that was sent after them and answered has been overtaken by their reads
    /// in all likelihood. If not, they read the session later, which these tests notice as a wrong answer and never as a right one.
    /// </summary>
    private async Task HasBegunAsync(params Task[] slow)
    {
        using var other = new Browser(farm.Addresses);
        for (var i = 0; i < 6; i++)
            await other.GetAsync("/read");
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.All(slow, task => Assert.False(task.IsCompleted, "the slow request was not slow"));
    }
}
