using System.Net;
using System.Security.Cryptography;

namespace RedisSessions.AspNetCore.Tests;

public abstract partial class FarmTests
{
    [Fact]
    public async Task After_a_login_the_old_id_is_dead_and_its_requests_set_no_cookie()
    {
        using var browser = await SeededAsync();
        var old = browser.Id!;
        var slowWrite = browser.SendAsync("/set?key=late&val=1&delay=1500", $"session={old}");
        var slowRead = browser.SendAsync("/slowread?delay=1500", $"session={old}");
        await HaveBegunAsync(slowWrite, slowRead);

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
        var slow = browser.SendAsync("/set?key=late&val=1&delay=1500", $"session={old}");
        await HaveBegunAsync(slow);

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
        var slow = Enumerable.Range(0, 6).Select(i => browser.SendAsync($"/set?key=r{i}&val=1&delay=1500", $"session={old}")).ToArray();
        await HaveBegunAsync(slow);
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
        using var browser = new Browser(await farm.AddressesAsync());
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
            Assert.Null(await farm.BytesAsync(SessionKey.From(wellFormed)));
    }
}
