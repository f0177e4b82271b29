using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace RedisSessions.AspNetCore.Tests.Attacks;

/// <summary>An attacker has an id that was good once, or a copy of the store.</summary>
public sealed class ReuseTests(StoreFixture store)
{
    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/login", (Session session) =>
        {
            session["account.current_user_id"] = 42;
            session.RegenerateId(deleteOld: true);
        });
        app.MapGet("/rotate", (Session session) => session.RegenerateId());
        app.MapGet("/logout", (Session session) => session.Destroy(expireCookie: true));
        app.MapGet("/user", (Session session) => $"[{session["account.current_user_id"]}]");
        app.MapGet("/everywhere", async (ISessionDirectory directory) => await directory.EndAllAsync("42"));
    }

    [Theory]
    [InlineData("/logout")]
    [InlineData("/login")]
    public async Task An_id_is_worth_nothing_after(string end)
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/login");
        var old = browser.Id;
        await browser.GetAsync(end);
        for (var i = 0; i < 3; i++)
        {
            var answer = await browser.SendAsync("/user", $"session={old}");
            Assert.Equal(("[]", null), (answer.Body, answer.SetCookie));
        }
    }

    [Fact]
    public async Task An_id_that_was_rotated_away_leads_on_for_the_grace_time_and_no_longer()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var app = await SessionApp.StartAsync(store, Endpoints, configure: builder => builder.Services.AddSingleton<TimeProvider>(time));
        using var browser = app.NewBrowser();
        await browser.GetAsync("/login");
        var old = browser.Id;
        await browser.GetAsync("/rotate");
        Assert.Equal("[42]", (await browser.SendAsync("/user", $"session={old}")).Body);
        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("[]", (await browser.SendAsync("/user", $"session={old}")).Body);
        Assert.Equal("[42]", (await browser.GetAsync("/user")).Body);
    }

    [Fact]
    public async Task An_id_is_worth_nothing_after_the_absolute_deadline_however_busy_it_was()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var app = await SessionApp.StartAsync(store, Endpoints, configure: builder => builder.Services.AddSingleton<TimeProvider>(time));
        using var browser = app.NewBrowser();
        await browser.GetAsync("/login");
        for (var i = 0; i < 47; i++)
        {
            time.Advance(TimeSpan.FromMinutes(15));
            Assert.Equal("[42]", (await browser.GetAsync("/user")).Body);
        }

        time.Advance(TimeSpan.FromMinutes(16));
        Assert.Equal("[]", (await browser.GetAsync("/user")).Body);
    }

    [Fact]
    public async Task An_id_is_worth_nothing_after_everybody_was_signed_out()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints, ["Sessions:Redis:KeyPrefix=everywhere:"]);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/login");
        Assert.Equal("[42]", (await browser.GetAsync("/user")).Body);
        await browser.GetAsync("/everywhere");
        Assert.Equal("[]", (await browser.GetAsync("/user")).Body);
    }

    [Fact]
    public async Task A_dump_of_the_store_is_no_list_of_cookies()
    {
        const string Prefix = "dumped:";
        await using var app = await SessionApp.StartAsync(store, Endpoints, [$"Sessions:Redis:KeyPrefix={Prefix}"]);
        using var browser = app.NewBrowser();
        await browser.GetAsync("/login");
        await using var redis = await ConnectionMultiplexer.ConnectAsync(store.Configuration);
        var names = redis.GetServers()[0].Keys(pattern: Prefix + "*").Select(key => key.ToString()).ToList();
        Assert.True(names.Count >= 2, "the session and the index of its user");
        foreach (var name in names)
        {
            var value = await redis.GetDatabase().KeyTypeAsync(name) == RedisType.String
                ? System.Text.Encoding.Latin1.GetString((byte[])(await redis.GetDatabase().StringGetAsync(name))!)
                : string.Join(' ', await redis.GetDatabase().SortedSetRangeByRankAsync(name));
            Assert.DoesNotContain(browser.Id!, name + value, StringComparison.Ordinal);
            // Every text of an id's shape that is in the dump is tried as one.
            foreach (var candidate in name.Split(':').Append(name).Concat(value.Split(' ')).Where(text => SessionId.TryParse(text, out _)))
                Assert.Equal("[]", (await browser.SendAsync("/user", $"session={candidate}")).Body);
        }
    }
}
