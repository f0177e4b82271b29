using Microsoft.AspNetCore.Builder;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests.Attacks;

/// <summary>An attacker wants the victim to sign in to a session whose id the attacker knows. docs/security.md lists these by name.</summary>
public sealed class FixationTests(StoreFixture store)
{
    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/visit", (Session session) => session["visited"] = true);
        app.MapGet("/login", async (Session session, int delay = 0) =>
        {
            await Task.Delay(delay);
            session["account.current_user_id"] = 42;
            session.RegenerateId(deleteOld: true);
        });
        app.MapGet("/user", (Session session) => $"[{session["account.current_user_id"]}]");
        app.MapMethods("/write", ["GET", "POST"], async (Session session, int delay = 0) =>
        {
            await Task.Delay(delay);
            session["attacker"] = "was here";
        });
        app.MapGet("/attacker", (Session session) => $"[{session["attacker"]}]");
    }

    [Fact]
    public async Task An_id_made_up_by_the_attacker_is_not_adopted()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var victim = app.NewBrowser();
        var planted = SessionId.New().Value;
        victim.Id = planted;
        var login = await victim.GetAsync("/login");
        Assert.NotNull(login.Id);
        Assert.NotEqual(planted, login.Id);
        Assert.Equal("[42]", (await victim.GetAsync("/user")).Body);
        Assert.Equal("[]", (await victim.SendAsync("/user", $"session={planted}")).Body);
    }

    [Fact]
    public async Task An_id_of_the_attackers_own_session_is_dead_when_the_victim_has_signed_in_with_it()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var attacker = app.NewBrowser();
        await attacker.GetAsync("/visit");
        using var victim = app.NewBrowser();
        victim.Id = attacker.Id;
        await victim.GetAsync("/login");
        Assert.NotEqual(attacker.Id, victim.Id);
        Assert.Equal("[42]", (await victim.GetAsync("/user")).Body);
        Assert.Equal("[]", (await attacker.GetAsync("/user")).Body);
    }

    [Fact]
    public async Task A_request_of_the_attacker_that_is_under_way_during_the_login_reaches_nothing_of_it()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var attacker = app.NewBrowser();
        await attacker.GetAsync("/visit");
        using var victim = app.NewBrowser();
        victim.Id = attacker.Id;
        // Both begin on the same session; whoever of the two commits first, the attacker's values must not be in a session that they have the id of and the victim is signed in to.
        var login = victim.GetAsync("/login?delay=100");
        var write = attacker.SendAsync("/write?delay=200", $"session={attacker.Id}");
        await login;
        var late = await write;
        Assert.Null(late.SetCookie);
        Assert.Equal("[]", (await attacker.SendAsync("/user", $"session={attacker.Id}")).Body);
        Assert.Equal("[42]", (await victim.GetAsync("/user")).Body);
        if ((int)late.Status == 409)
            Assert.Equal("[]", (await victim.GetAsync("/attacker")).Body);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_second_cookie_of_the_same_name_from_a_sibling_host_makes_both_worthless(bool attackersFirst)
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var attacker = app.NewBrowser();
        using var victim = app.NewBrowser();
        await attacker.GetAsync("/visit");
        await victim.GetAsync("/login");
        var both = attackersFirst ? $"session={attacker.Id}; session={victim.Id}" : $"session={victim.Id}; session={attacker.Id}";
        var answer = await victim.SendAsync("/user", both);
        Assert.Equal(("[]", null), (answer.Body, answer.SetCookie));
        await app.Logs.HaveAsync("several session cookies");

        // Neither session has been touched, and a login gets an id that neither of them is.
        var login = await victim.SendAsync("/login", both);
        Assert.NotNull(login.Id);
        Assert.DoesNotContain(login.Id, both, StringComparison.Ordinal);
        Assert.Equal("[42]", (await victim.SendAsync("/user", $"session={victim.Id}; session={victim.Id}")).Body);
    }

    [Fact]
    public async Task An_id_anywhere_but_in_the_cookie_is_no_id()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var victim = app.NewBrowser();
        await victim.GetAsync("/login");
        var id = victim.Id;
        // The framework logs the addresses of requests, which is why ids are not to be in them.
        Secrets.GivenAway(id!);
        Assert.Equal("[]", (await victim.SendAsync($"/user?session={id}&__Host-session={id}&sessionid={id}", null)).Body);
        Assert.Equal("[]", (await victim.SendAsync($"/user;session={id}", null)).Status == System.Net.HttpStatusCode.NotFound ? "[]" : "adopted");
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(app.Address, "/user"));
        foreach (var name in new[] { "Session", "X-Session", "X-Session-Id", "Authorization" })
            request.Headers.TryAddWithoutValidation(name, id);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("[]", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using var form = new FormUrlEncodedContent([new("session", id!), new("__Host-session", id!)]);
        using var posted = await client.PostAsync(new Uri(app.Address, "/write"), form, TestContext.Current.CancellationToken);
        Assert.Equal("[]", (await victim.GetAsync("/attacker")).Body);
    }

    [Fact]
    public async Task An_attacker_who_signs_in_first_shares_nothing_with_the_victim_who_signs_in_after()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints);
        using var attacker = app.NewBrowser();
        await attacker.GetAsync("/login");
        var planted = attacker.Id;
        using var victim = app.NewBrowser();
        victim.Id = planted;
        await victim.GetAsync("/login");
        await attacker.SendAsync("/write", $"session={planted}");
        Assert.Equal("[]", (await victim.GetAsync("/attacker")).Body);
        Assert.Equal("[]", (await attacker.SendAsync("/user", $"session={planted}")).Body);
    }
}
