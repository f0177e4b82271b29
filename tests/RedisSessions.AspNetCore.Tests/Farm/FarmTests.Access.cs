using System.Net;

namespace RedisSessions.AspNetCore.Tests;

// Exclusive access and the sessions of a user, over instances that are processes of their own, in every store.
public abstract partial class FarmTests
{
    [Fact]
    public async Task Exclusive_requests_take_turns_over_all_instances()
    {
        using var browser = await SeededAsync();
        var answers = await browser.AtOnceAsync(20, _ => "/exclusive?delay=5");
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(Enumerable.Range(1, 20), answers.Select(answer => int.Parse(answer.Body)).Order());
        Assert.Equal("48151623", (await browser.GetAsync("/readonly")).Body);
    }

    [Fact]
    public async Task A_user_signs_out_everywhere_else()
    {
        var user = Random.Shared.Next(1_000_000, int.MaxValue);
        var browsers = new List<Browser>();
        for (var i = 0; i < 5; i++)
        {
            browsers.Add(new Browser(await farm.AddressesAsync()));
            await browsers[i].GetAsync($"/login?user={user}");
            Assert.Equal($"{user}", (await browsers[i].GetAsync("/set?key=n&val=1")).Status == HttpStatusCode.OK ? (await browsers[i].GetAsync("/read")).Body : "");
        }

        Assert.Equal("5", (await browsers[0].GetAsync("/sessions")).Body);
        Assert.Equal("ok", (await browsers[0].GetAsync("/signout-others")).Body);
        Assert.Equal("1", (await browsers[0].GetAsync("/sessions")).Body);
        Assert.Equal($"{user}", (await browsers[0].GetAsync("/readonly")).Body);
        foreach (var other in browsers[1..])
        {
            Assert.Equal("", (await other.SendAsync("/read", $"session={other.Id}")).Body);
            other.Dispose();
        }

        browsers[0].Dispose();
    }

    [Fact]
    public async Task ISession_and_Session_share_a_record_and_lose_nothing()
    {
        using var browser = await SeededAsync();
        Assert.Equal("ok", (await browser.GetAsync("/isession-set?key=some.dots&val=text")).Body);
        Assert.Equal("text", (await browser.GetAsync("/isession-get?key=some.dots")).Body);
        Assert.Equal("text", (await AllAsync(browser)).GetProperty("some.dots").GetString());
        await browser.AtOnceAsync(10, i => i % 2 == 0 ? $"/isession-set?key=i{i}&val={i}&delay=5" : $"/set?key=s{i}&val={i}&delay=5");
        var all = await AllAsync(browser);
        for (var i = 0; i < 10; i++)
            Assert.Equal($"{i}", all.GetProperty($"{(i % 2 == 0 ? "i" : "s")}{i}").GetString());

        var answers = await browser.AtOnceAsync(30, _ => "/isession-incr?delay=5");
        var stored = answers.Count(answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers, answer => Assert.Contains(answer.Status, new[] { HttpStatusCode.OK, HttpStatusCode.Conflict }));
        Assert.Equal($"{stored + 1}", (await browser.GetAsync("/isession-incr")).Body);
    }
}
