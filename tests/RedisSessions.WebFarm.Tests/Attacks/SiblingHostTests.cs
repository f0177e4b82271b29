using System.Text;
using Microsoft.Playwright;
using static RedisSessions.WebFarm.Tests.Attacks.SiblingHosts;

namespace RedisSessions.WebFarm.Tests.Attacks;

/// <summary>A neighbour under the same domain plants cookies through Chromium, for the attacker's session to become the visitor's.</summary>
public sealed class SiblingHostTests
{
    private const string Name = "__Host-session";

    /// <summary>All white space that is no control character and lies beyond the bytes of ASCII, and two that only look like nothing.</summary>
    private static char[] Spaces =>
        [.. Enumerable.Range(0x80, char.MaxValue - 0x80).Select(static c => (char)c).Where(char.IsWhiteSpace), '\u200b', '\ufeff'];

    [Theory]
    [InlineData("header")]
    [InlineData("document.cookie")]
    [InlineData("cookieStore")]
    public async Task Chromium_lets_a_sibling_host_set_a_cookie_with_white_space_before_the_name_and_the_shop_does_not_take_it(string by)
    {
        await using var hosts = await StartAsync(Encoding.UTF8);
        await using var chromium = await Chromium.OpenAsync(ResolverFlag);
        var attackers = await AttackersIdAsync(chromium, hosts);
        await using var visitor = await VisitorAsync(chromium);
        var page = await visitor.NewPageAsync();
        foreach (var space in Spaces)
            await PlantAsync(page, hosts, $"{space}{Name}", attackers, by);

        // What the browser sends is looked at first: a cookie that it had refused would show nothing about the server.
        var sent = (await SentAsync(page, hosts)).Split("; ");
        Assert.Equal(Spaces.Select(space => $"{space}{Name}={attackers}").Order(StringComparer.Ordinal), sent.Order(StringComparer.Ordinal));
        Assert.Equal("[]", await TextAsync(page, hosts.AtShop("/user")));
        await TextAsync(page, hosts.AtShop("/login?user=42"));
        Assert.Equal("[42]", await TextAsync(page, hosts.AtShop("/user")));
    }

    /// <summary>A server that reads headers as Latin-1 takes one byte for a white space that UTF-8 does not have as one.</summary>
    [Theory]
    [InlineData('\u00a0')]
    [InlineData('\u0085')]
    public async Task Nor_does_a_shop_that_reads_headers_as_Latin_1(char space)
    {
        await using var hosts = await StartAsync(Encoding.Latin1);
        await using var chromium = await Chromium.OpenAsync(ResolverFlag);
        var attackers = await AttackersIdAsync(chromium, hosts);
        await using var visitor = await VisitorAsync(chromium);
        var page = await visitor.NewPageAsync();
        await PlantAsync(page, hosts, $"{space}{Name}", attackers, "header");
        Assert.Equal($"{space}{Name}={attackers}", Encoding.Latin1.GetString(Convert.FromHexString(await TextAsync(page, hosts.AtShop("/cookies")))));
        Assert.Equal("[]", await TextAsync(page, hosts.AtShop("/user")));
    }

    /// <summary>What rests on the browser: a server could not tell these from its own cookie.</summary>
    [Theory]
    [InlineData(Name, "/")]
    [InlineData(Name, "/user")]
    [InlineData($" {Name}", "/")]
    [InlineData($"\t{Name}", "/")]
    [InlineData($"={Name}", "/")]
    [InlineData($" =\t{Name}", "/")]
    [InlineData("__host-SESSION", "/")]
    public async Task Chromium_refuses_the_name_itself_and_a_cookie_without_a_name_that_reads_as_it(string name, string path)
    {
        await using var hosts = await StartAsync(Encoding.UTF8);
        await using var chromium = await Chromium.OpenAsync(ResolverFlag);
        var attackers = await AttackersIdAsync(chromium, hosts);
        foreach (var by in new[] { "header", "document.cookie" })
        {
            await using var visitor = await VisitorAsync(chromium);
            var page = await visitor.NewPageAsync();
            await PlantAsync(page, hosts, name, attackers, by, path);
            Assert.Equal("", await SentAsync(page, hosts));
            Assert.Equal("[]", await TextAsync(page, hosts.AtShop("/user")));
        }
    }

    /// <summary>Without a prefix the neighbour's cookie is as good as ours: it is the prefix that keeps it out, and nothing else.</summary>
    [Fact]
    public async Task Chromium_lets_a_sibling_host_set_a_cookie_of_any_name_without_a_prefix()
    {
        await using var hosts = await StartAsync(Encoding.UTF8);
        await using var chromium = await Chromium.OpenAsync(ResolverFlag);
        await using var visitor = await VisitorAsync(chromium);
        var page = await visitor.NewPageAsync();
        await PlantAsync(page, hosts, "session", "planted", "header");
        Assert.Equal("session=planted", await SentAsync(page, hosts));
    }

    private static Task<IBrowserContext> VisitorAsync(Chromium chromium) => chromium.ContextAsync(new() { IgnoreHTTPSErrors = true });

    private static async Task<string> AttackersIdAsync(Chromium chromium, SiblingHosts hosts)
    {
        await using var attacker = await VisitorAsync(chromium);
        return await TextAsync(await attacker.NewPageAsync(), hosts.AtShop("/login?user=666"));
    }

    private static async Task PlantAsync(IPage page, SiblingHosts hosts, string name, string value, string by, string path = "/")
    {
        var cookie = $"{name}={value}; Domain={Parent}; Path={path}; Secure";
        var url = new Uri(hosts.AtNeighbour(by == "header" ? $"/?cookie={Uri.EscapeDataString(cookie)}" : "/"));
        if (page.Url != url.ToString())
            await page.GotoAsync(url.ToString());
        Assert.Equal("neighbour", await page.TitleAsync());
        if (by == "document.cookie")
            await page.EvaluateAsync("cookie => { document.cookie = cookie; }", cookie);
        else if (by == "cookieStore")
            await page.EvaluateAsync("cookie => cookieStore.set(cookie)", new Dictionary<string, string> { ["name"] = name, ["value"] = value, ["domain"] = Parent, ["path"] = path });
    }

    /// <summary>The header that the browser sends to the shop.</summary>
    private static async Task<string> SentAsync(IPage page, SiblingHosts hosts) =>
        Encoding.UTF8.GetString(Convert.FromHexString(await TextAsync(page, hosts.AtShop("/cookies"))));

    private static async Task<string> TextAsync(IPage page, string url) => await (await page.GotoAsync(url))!.TextAsync();
}
