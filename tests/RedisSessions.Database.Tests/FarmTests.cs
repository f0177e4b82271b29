using System.Diagnostics;
using System.Net;
using System.Text.Json;
using RedisSessions.AspNetCore.Tests;
using RedisSessions.TestServers;

namespace RedisSessions.Database.Tests;

/// <summary>Two instances as processes of their own over one store.</summary>
public abstract class FarmTests(FarmTests.Farm farm)
{
    public abstract class Farm : IAsyncLifetime
    {
        private TargetAppProcess[] _instances = [];

        /// <summary>Where the sessions are; skips the test when there is no such place.</summary>
        public abstract string[] Settings { get; }

        /// <summary>
        /// The instances, started by the first test that asks for them: only a test can be skipped, and a fixture that has no store would fail.
        /// </summary>
        public async Task<Uri[]> AddressesAsync()
        {
            if (_instances.Length == 0)
                _instances = await Task.WhenAll(StartAsync(), StartAsync());
            return [.. _instances.Select(instance => instance.Address)];
        }

        public Task<TargetAppProcess> StartAsync() => TargetAppProcess.StartAsync(Settings, TestContext.Current.CancellationToken);

        public ValueTask InitializeAsync() => ValueTask.CompletedTask;

        public virtual async ValueTask DisposeAsync()
        {
            foreach (var instance in _instances)
                await instance.DisposeAsync();
            GC.SuppressFinalize(this);
        }

        protected static string[] Database(string provider, string connectionString, string table) =>
            ["--Sessions:Handler=database", $"--Sessions:Database:Provider={provider}", $"--Sessions:Database:ConnectionString={connectionString}", $"--Sessions:Database:Table={table}"];
    }

    [Fact]
    public async Task A_hundred_concurrent_increments_end_at_a_hundred()
    {
        using var browser = await SeededAsync();
        var answers = await browser.AtOnceAsync(100, _ => "/incr");
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(Enumerable.Range(1, 100), answers.Select(answer => int.Parse(answer.Body)).Order());
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
    public async Task After_a_login_the_old_id_is_dead_and_late_writers_get_no_cookie()
    {
        using var browser = await SeededAsync();
        var old = browser.Id!;
        var slow = browser.SendAsync("/set?key=late&val=1&delay=1500", $"session={old}");
        await HasBegunAsync(slow);
        Assert.Equal("ok", (await browser.GetAsync("/login?user=7")).Body);
        Assert.NotEqual(old, browser.Id);

        var late = await slow;
        Assert.Equal((HttpStatusCode.Conflict, null), (late.Status, late.SetCookie));
        Assert.Equal("", (await browser.SendAsync("/read", $"session={old}")).Body);
        Assert.Equal("7", (await browser.GetAsync("/read")).Body);
        Assert.False((await AllAsync(browser)).TryGetProperty("late", out _));
    }

    [Fact]
    public async Task After_a_logout_nothing_brings_the_session_back()
    {
        using var browser = await SeededAsync();
        var old = browser.Id!;
        var slow = browser.SendAsync("/set?key=late&val=1&delay=1500", $"session={old}");
        await HasBegunAsync(slow);
        Assert.StartsWith("session=;", (await browser.GetAsync("/logout")).SetCookie, StringComparison.Ordinal);

        var late = await slow;
        Assert.Equal((HttpStatusCode.Conflict, null), (late.Status, late.SetCookie));
        Assert.Equal("{}", (await browser.SendAsync("/all", $"session={old}")).Body);
    }

    [Fact]
    public async Task Ten_kills_in_the_middle_of_two_thousand_commits_lose_nothing_that_was_acknowledged()
    {
        using var browser = await SeededAsync();
        var (acknowledged, sent) = (0, 0);
        for (var kill = 0; kill < 10; kill++)
        {
            await using var instance = await farm.StartAsync();
            using var doomed = new Browser(instance.Address) { Id = browser.Id };
            var until = 200 * (kill + 1);
            var dying = Task.CompletedTask;
            while (sent < until)
            {
                // Killed while requests are on their way: somewhere within the last of this round.
                if (sent == until - 5)
                    dying = instance.KillAsync();
                sent++;
                try
                {
                    acknowledged += (await doomed.SendAsync("/add", $"session={browser.Id}")).Status == HttpStatusCode.OK ? 1 : 0;
                }
                catch (HttpRequestException)
                {
                    // Stored or not, nobody was told.
                }
            }

            await dying;
        }

        // Every answer that was "ok" is in it, and nothing is in it that was not asked for; the row is whole, or it could not be read.
        var n = (await AllAsync(browser)).GetProperty("n").GetInt32();
        Assert.InRange(n, acknowledged, sent);
        Assert.InRange(acknowledged, sent - 60, sent);
    }

    private async Task<Browser> SeededAsync()
    {
        var browser = new Browser(await farm.AddressesAsync());
        Assert.Equal("ok", (await browser.GetAsync("/seed")).Body);
        return browser;
    }

    private static async Task<JsonElement> AllAsync(Browser browser) => JsonDocument.Parse((await browser.GetAsync("/all")).Body).RootElement;

    /// <summary>The slow request waits after reading its session; a few that were sent after it and answered have been overtaken by its read.</summary>
    private async Task HasBegunAsync(Task slow)
    {
        using var other = new Browser(await farm.AddressesAsync());
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < 6 || Stopwatch.GetElapsedTime(started) < TimeSpan.FromMilliseconds(300); i++)
            await other.GetAsync("/read");
        Assert.False(slow.IsCompleted, "the slow request was not slow");
    }
}

public sealed class SqliteFarmTests(SqliteFarmTests.SqliteFarm farm) : FarmTests(farm), IClassFixture<SqliteFarmTests.SqliteFarm>
{
    [Fact]
    public async Task A_table_that_is_away_is_a_503_and_its_sessions_go_on_when_it_is_back()
    {
        await using var engine = new SqliteEngine();
        await using var instance = await TargetAppProcess.StartAsync(
            ["--Sessions:Handler=database", "--Sessions:Database:Provider=sqlite", $"--Sessions:Database:ConnectionString={engine.ConnectionString}", $"--Sessions:Database:Table={engine.Table}"],
            TestContext.Current.CancellationToken);
        using var browser = new Browser(instance.Address);
        await browser.GetAsync("/seed");

        await engine.ExecuteAsync("ALTER TABLE {table} RENAME TO away");
        foreach (var path in new[] { "/read", "/set?key=a&val=1" })
        {
            var answer = await browser.GetAsync(path);
            Assert.Equal((HttpStatusCode.ServiceUnavailable, null), (answer.Status, answer.SetCookie));
            Assert.True(answer.Message.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        }

        await engine.ExecuteAsync($"ALTER TABLE away RENAME TO {engine.Quoted}");
        Assert.Equal("48151623", (await browser.GetAsync("/read")).Body);
    }

    public sealed class SqliteFarm : Farm
    {
        private readonly SqliteEngine _engine = new();

        public override string[] Settings => Database("sqlite", _engine.ConnectionString, _engine.Table);

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await _engine.DisposeAsync();
        }
    }
}

public sealed class PostgresFarmTests(PostgresFarmTests.PostgresFarm farm) : FarmTests(farm), IClassFixture<PostgresFarmTests.PostgresFarm>
{
    public sealed class PostgresFarm(PostgresServerFixture postgres) : Farm
    {
        public override string[] Settings => Database("postgres", postgres.Server.ConnectionString + ";Maximum Pool Size=30", "farm");
    }
}

public sealed class MariaDbFarmTests(MariaDbFarmTests.MariaDbFarm farm) : FarmTests(farm), IClassFixture<MariaDbFarmTests.MariaDbFarm>
{
    public sealed class MariaDbFarm(MariaDbServerFixture mariaDb) : Farm
    {
        public override string[] Settings => Database("mysql", mariaDb.Server.ConnectionString + ";Maximum Pool Size=30", "farm");
    }
}
