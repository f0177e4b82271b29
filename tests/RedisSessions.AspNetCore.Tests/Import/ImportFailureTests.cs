using System.Net;
using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.DependencyInjection;
using static RedisSessions.AspNetCore.Tests.Import.FrameworkApp;

namespace RedisSessions.AspNetCore.Tests.Import;

/// <summary>An import that cannot be done: nobody is signed out by it, and nothing is lost.</summary>
public sealed class ImportFailureTests(StoreFixture store)
{
    [Theory]
    [InlineData("truncated")]
    [InlineData("revision")]
    [InlineData("garbage")]
    [InlineData("empty")]
    public async Task A_damaged_record_is_a_503_and_stays(string how)
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        var good = before.Cache.Record!;
        before.Cache.Record = how switch
        {
            "truncated" => good[..^1],
            "revision" => [1, .. good[1..]],
            "garbage" => RandomNumberGenerator.GetBytes(200)[1..].Prepend((byte)7).ToArray(),
            _ => [],
        };
        var bad = before.Cache.Record;
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        foreach (var path in (string[])["/get?key=user", "/set?key=a", "/login", "/logout?expire=true", "/readonly?key=user"])
        {
            var answer = await browser.SendAsync(path, old);
            Assert.Equal((HttpStatusCode.ServiceUnavailable, null, false), (answer.Status, answer.SetCookie, Expires(answer)));
        }

        Assert.Equal(bad, before.Cache.Record);
        Assert.Equal(0, app.Store.Commits);
        before.Cache.Record = good;
        Assert.Equal("ada", (await browser.SendAsync("/get?key=user", old)).Body);
    }

    [Theory]
    [InlineData("Fail", HttpStatusCode.ServiceUnavailable)]
    [InlineData("Anonymous", HttpStatusCode.OK)]
    public async Task When_the_cache_is_down_nobody_is_signed_out(string policy, HttpStatusCode status)
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        await using var app = await before.BecomesAsync($"Sessions:OnStoreFailure={policy}");
        using var browser = app.NewBrowser();
        before.Cache.ReadsFail = true;
        foreach (var path in (string[])["/get?key=user", "/set?key=a"])
        {
            var answer = await browser.SendAsync(path, old);
            Assert.Equal((status, null, false), (answer.Status, answer.SetCookie, Expires(answer)));
            Assert.DoesNotContain("ada", answer.Body, StringComparison.Ordinal);
        }

        // Who has a session here needs no cache.
        await browser.GetAsync("/set?key=a");
        Assert.Equal("new", (await browser.GetAsync("/get?key=a")).Body);
        before.Cache.ReadsFail = false;
        Assert.Equal("ada", (await browser.SendAsync("/get?key=user", old)).Body);
    }

    [Fact]
    public async Task When_the_keys_cannot_be_read_nobody_is_signed_out()
    {
        KeyStore keys = new();
        using var before = new FrameworkApp(store) { Keys = keys.NewRing() };
        var old = await before.VisitAsync(Ada);
        // Another process, which has not read them yet.
        before.Keys = keys.NewRing();
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        keys.Fails = true;
        var answer = await browser.SendAsync("/set?key=a", old);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, null, false), (answer.Status, answer.SetCookie, Expires(answer)));
        keys.Fails = false;
        Assert.Equal("ada", (await browser.SendAsync("/get?key=user", old)).Body);
        // These keys refuse what is not theirs as well.
        var forged = await browser.SendAsync("/get?key=user", old[..60] + (old[60] == 'A' ? 'B' : 'A') + old[61..]);
        Assert.Equal((HttpStatusCode.OK, "none"), (forged.Status, forged.Body));
        for (var length = old.IndexOf('=', StringComparison.Ordinal) + 1; length < old.Length; length += 3)
        {
            var cut = await browser.SendAsync("/get?key=user", old[..length]);
            Assert.Equal((HttpStatusCode.OK, "none"), (cut.Status, cut.Body));
        }
    }

    [Fact]
    public async Task When_our_store_is_down_the_old_session_stays_and_when_the_removal_fails_the_request_does_not()
    {
        using var before = new FrameworkApp(store);
        var old = await before.VisitAsync(Ada);
        await using var app = await before.BecomesAsync();
        using var browser = app.NewBrowser();
        app.Store.CommitsFail = true;
        var failed = await browser.SendAsync("/get?key=user", old);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, null, false), (failed.Status, failed.SetCookie, Expires(failed)));
        Assert.NotNull(before.Cache.Record);

        app.Store.CommitsFail = false;
        before.Cache.RemovalsFail = true;
        var answer = await browser.SendAsync("/get?key=user", old);
        Assert.Equal(("ada", true), (answer.Body, Expires(answer)));
        Assert.NotNull(answer.Id);
        await app.Logs.HaveAsync("could not be removed from where it was");
        foreach (var secret in (string[])[old.Split('=', 2)[1], answer.Id, before.Cache.Key!, "a name of ours"])
            Assert.DoesNotContain(app.Logs.Lines, line => line.Contains(secret, StringComparison.Ordinal));
    }

    /// <summary>Where Data Protection keeps its keys, with a switch to make it fail.</summary>
    private sealed class KeyStore : IXmlRepository
    {
        private readonly List<XElement> _elements = [];

        public bool Fails { get; set; }

        public IDataProtectionProvider NewRing() => new ServiceCollection()
            .AddDataProtection().SetApplicationName("import").Services
            .Configure<KeyManagementOptions>(options => options.XmlRepository = this)
            .BuildServiceProvider().GetRequiredService<IDataProtectionProvider>();

        public IReadOnlyCollection<XElement> GetAllElements() => Fails ? throw new TimeoutException("switched off by the test") : [.. _elements];

        public void StoreElement(XElement element, string friendlyName) => _elements.Add(element);
    }
}
