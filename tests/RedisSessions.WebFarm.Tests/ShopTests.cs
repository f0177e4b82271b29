using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;

namespace RedisSessions.WebFarm.Tests;

/// <summary>What a visitor sees of a healthy farm.</summary>
public sealed partial class ShopTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_session_is_counted_in_by_all_three_instances()
    {
        using var visitor = new Visitor(fixture.Farm);
        HashSet<string> answeredBy = [];
        for (var i = 1; i <= 9; i++)
        {
            using var answer = await visitor.PostAsync("/api/increment", Token);
            Assert.Equal($"{i}\n", await answer.Content.ReadAsStringAsync(Token));
            answeredBy.Add(answer.Headers.GetValues("X-Instance").Single());
        }

        Assert.Equal(["A", "B", "C"], answeredBy.Order());
    }

    [Fact]
    public async Task Parallel_increments_all_count()
    {
        using var visitor = new Visitor(fixture.Farm);
        await visitor.IncrementAsync(Token);
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => visitor.IncrementAsync(Token)));
        Assert.Equal(Enumerable.Range(2, 60), answers.Order());
    }

    [Fact]
    public async Task Login_changes_the_id_and_keeps_the_cart_and_logout_ends_it()
    {
        using var visitor = new Visitor(fixture.Farm);
        await visitor.SendAsync("/cart/add", "product", "cup", Token);
        var before = await visitor.PageAsync(Token);
        var old = visitor.Cookies.GetCookies(visitor.Address)["session"]!.Value;

        var loggedIn = await visitor.SendAsync("/login", "name", "Ada", Token);
        Assert.NotEqual(Id().Match(before).Groups[1].Value, Id().Match(loggedIn).Groups[1].Value);
        Assert.Contains($"""id="former-id">{Id().Match(before).Groups[1].Value}""", loggedIn, StringComparison.Ordinal);
        Assert.Contains("€ 12.50", Total().Match(loggedIn).Value, StringComparison.Ordinal);
        Assert.Equal("Ada", await visitor.WhoAmIAsync(Token));
        Assert.DoesNotContain(visitor.Cookies.GetCookies(visitor.Address)["session"]!.Value, loggedIn, StringComparison.Ordinal);

        using var thief = new Visitor(fixture.Farm);
        thief.Cookies.Add(visitor.Address, new Cookie("session", old));
        Assert.Equal("nobody", await thief.WhoAmIAsync(Token));

        var loggedOut = await visitor.SendAsync("/logout", "", "", Token);
        Assert.Contains("Logged out", loggedOut, StringComparison.Ordinal);
        Assert.Contains("Nothing in it yet", loggedOut, StringComparison.Ordinal);
        Assert.Equal("nobody", await visitor.WhoAmIAsync(Token));
    }

    [Fact]
    public async Task The_cart_counts_up_and_down()
    {
        using var visitor = new Visitor(fixture.Farm);
        await visitor.SendAsync("/cart/add", "product", "beans", Token);
        await visitor.SendAsync("/cart/add", "product", "beans", Token);
        var page = await visitor.SendAsync("/cart/add", "product", "filters", Token);
        Assert.Contains("€ 34.30", Total().Match(page).Value, StringComparison.Ordinal);
        Assert.Contains("Paper filters: in the cart.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Paper filters: in the cart.", await visitor.PageAsync(Token), StringComparison.Ordinal);

        page = await visitor.SendAsync("/cart/take", "product", "beans", Token);
        Assert.Contains("€ 19.40", Total().Match(page).Value, StringComparison.Ordinal);
        page = await visitor.SendAsync("/cart/take", "product", "beans", Token);
        Assert.Contains("€ 4.50", Total().Match(page).Value, StringComparison.Ordinal);
        page = await visitor.SendAsync("/cart/remove", "product", "filters", Token);
        Assert.Contains("Nothing in it yet", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_race_keeps_every_increment_of_ours()
    {
        using var visitor = new Visitor(fixture.Farm);
        using var answer = await visitor.PostAsync("/api/race", Token);
        var race = await answer.Content.ReadFromJsonAsync<RaceAnswer>(Token);
        Assert.Equal((50, 50, 50, 0), (race!.RedisSessions.Sent, race.RedisSessions.Answered, race.RedisSessions.Kept, race.RedisSessions.Lost));
        Assert.Equal((50, 50), (race.Framework.Sent, race.Framework.Answered));
        Assert.InRange(race.Framework.Kept, 1, 49);
        // Both raced on all three instances, so the framework's loss is not that of a cookie it could not read.
        Assert.All([race.Framework.Instances, race.RedisSessions.Instances], static who => Assert.Matches(@"^A \d+ · B \d+ · C \d+$", who));
    }

    [Fact]
    public async Task The_page_draws_the_race()
    {
        using var visitor = new Visitor(fixture.Farm);
        var page = await visitor.SendAsync("/race", "", "", Token);
        Assert.Contains("<strong>50</strong> of 50 kept, none lost", page, StringComparison.Ordinal);
        Assert.Matches(@"<strong>\d+</strong> of 50 kept, <span class=""lost"">\d+ lost</span>", page);
        Assert.Contains("await session.UpdateAsync(async session =&gt;", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_without_its_token_does_nothing()
    {
        using var visitor = new Visitor(fixture.Farm);
        await visitor.PageAsync(Token);
        var page = await visitor.SendAsync("/cart/add", "product", "cup", Token, token: "ffff");
        Assert.Contains("Nothing was done", page, StringComparison.Ordinal);
        Assert.Contains("Nothing in it yet", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_api_wants_its_header()
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = fixture.Farm.Address };
        using var answer = await client.PostAsync(new Uri("/api/login", UriKind.Relative), null, Token);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task What_a_visitor_types_is_text()
    {
        using var visitor = new Visitor(fixture.Farm);
        var page = await visitor.SendAsync("/login", "name", "<b>&\"{0}", Token);
        Assert.Contains("<dd id=\"user\">&lt;b&gt;&amp;&quot;{0}</dd>", page, StringComparison.Ordinal);
    }

    [GeneratedRegex("""id="session-id">([^<]+)""")]
    private static partial Regex Id();

    [GeneratedRegex("""id="total">[^<]+""")]
    private static partial Regex Total();
}
