namespace RedisSessions.PhpBridge.Tests;

/// <summary>One login for PHP and .NET behind nginx, with one cookie jar, wherever the sessions are.</summary>
public abstract class SharedSessionTests(string store) : IAsyncLifetime
{
    private BridgeProcess _bridge = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _bridge = await BridgeProcess.StartAsync(store, Token);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_bridge is not null)
            await _bridge.DisposeAsync();
    }

    [Fact]
    public async Task A_login_in_PHP_is_a_login_in_NET_until_either_ends_it()
    {
        using var visitor = new Visitor(_bridge);
        await visitor.PageAsync("/", Token);
        var anonymous = visitor.Id;

        var page = await visitor.SendAsync("/", "/login", Token, ("user", "1"));
        Assert.Equal("Mira", Visitor.Text(page, "user"));
        Assert.StartsWith("PHP ", Visitor.Text(page, "half"), StringComparison.Ordinal);
        Assert.NotEqual(anonymous, visitor.Id);
        page = await visitor.PageAsync("/net/profile", Token);
        Assert.Equal("Mira", Visitor.Text(page, "user"));
        Assert.StartsWith(".NET ", Visitor.Text(page, "half"), StringComparison.Ordinal);
        await AssertSameAsync(visitor, "Mira", "1");

        // What either writes, the other reads, in one session.
        await visitor.SendAsync("/", "/motto", Token, ("motto", "Ünïcode & <b>"));
        await visitor.SendAsync("/net/profile", "/net/city", Token, ("city", "Køge"));
        Assert.Equal("Ünïcode & <b>", Visitor.Text(await visitor.PageAsync("/net/profile", Token), "motto"));
        Assert.Equal("Køge", Visitor.Text(await visitor.PageAsync("/", Token), "city"));

        // .NET gives the session a new id: PHP goes on with it, and the old one is dead in both.
        var loggedIn = visitor.Id;
        page = await visitor.SendAsync("/net/session", "/net/regenerate", Token);
        Assert.Contains("The session has a new id", page, StringComparison.Ordinal);
        Assert.NotEqual(loggedIn, visitor.Id);
        await AssertSameAsync(visitor, "Mira", "1");
        Assert.Equal("Køge", Visitor.Text(await visitor.PageAsync("/", Token), "city"));
        foreach (var old in (string[])[anonymous!, loggedIn!])
            await AssertDeadAsync(old);

        var last = visitor.Id;
        Assert.Contains("Nobody is logged in", await visitor.SendAsync("/net/profile", "/net/logout", Token), StringComparison.Ordinal);
        Assert.Contains("Nobody is logged in", await visitor.PageAsync("/net/profile", Token), StringComparison.Ordinal);
        Assert.NotEqual(last, visitor.Id);
        await AssertDeadAsync(last!);
    }

    [Fact]
    public async Task A_login_in_NET_is_a_login_in_PHP_until_either_ends_it()
    {
        using var visitor = new Visitor(_bridge);
        await visitor.PageAsync("/net/profile", Token);
        var anonymous = visitor.Id;

        var page = await visitor.SendAsync("/net/profile", "/net/login", Token, ("user", "2"));
        Assert.Equal("Noor", Visitor.Text(page, "user"));
        Assert.NotEqual(anonymous, visitor.Id);
        Assert.Equal("Noor", Visitor.Text(await visitor.PageAsync("/", Token), "user"));
        await AssertSameAsync(visitor, "Noor", "2");
        await AssertDeadAsync(anonymous!);

        var last = visitor.Id;
        Assert.Contains("Nobody is logged in", await visitor.SendAsync("/", "/logout", Token), StringComparison.Ordinal);
        Assert.Contains("Nobody is logged in", await visitor.PageAsync("/net/profile", Token), StringComparison.Ordinal);
        Assert.NotEqual(last, visitor.Id);
        await AssertDeadAsync(last!);

        // PHP gives a new id as well, at a login on top of a session of .NET.
        await visitor.SendAsync("/net/profile", "/net/count", Token);
        last = visitor.Id;
        await visitor.SendAsync("/", "/login", Token, ("user", "3"));
        Assert.NotEqual(last, visitor.Id);
        await AssertSameAsync(visitor, "Sam", "3");
        Assert.Equal(1, (await visitor.ViewAsync("/net", Token)).ByNet);
        await AssertDeadAsync(last!);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/net/profile")]
    public async Task An_id_that_somebody_made_up_is_adopted_by_neither(string first)
    {
        const string planted = "abcdefghijklmnopqrstuvwxyz0123456789ABCD";
        using var victim = new Visitor(_bridge) { Id = planted };
        await victim.PageAsync(first, Token);
        Assert.NotEqual(planted, victim.Id);
        await AssertDeadAsync(planted);
    }

    [Fact]
    public async Task Both_set_the_cookie_with_the_same_flags()
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false }) { BaseAddress = _bridge.Address };
        Assert.Equal(await FlagsAsync("/"), await FlagsAsync("/net/profile"));

        async Task<string[]> FlagsAsync(string path)
        {
            using var answer = await client.GetAsync(path, Token);
            var parts = Assert.Single(answer.Headers.GetValues("Set-Cookie")).Split("; ");
            return [parts[0].Split('=')[0], .. parts[1..].Select(static part => part.ToLowerInvariant()).Order(StringComparer.Ordinal)];
        }
    }

    [Fact]
    public async Task A_form_with_the_token_of_another_session_does_nothing_in_either()
    {
        using Visitor visitor = new(_bridge), attacker = new(_bridge);
        await visitor.SendAsync("/", "/login", Token, ("user", "1"));
        var foreign = Visitor.TokenOf(await attacker.PageAsync("/", Token));
        foreach (var action in (string[])["/logout", "/net/logout", "/count", "/net/count"])
            Assert.Contains("Nothing was done", await visitor.PostAsync(action, foreign, Token), StringComparison.Ordinal);
        Assert.Equal((0, 0), ((await visitor.ViewAsync("", Token)).ByPhp, (await visitor.ViewAsync("", Token)).ByNet));
        await AssertSameAsync(visitor, "Mira", "1");
    }

    [Fact]
    public async Task Pages_of_both_halves_that_load_at_once_lose_nothing()
    {
        const int each = 40;
        using var visitor = new Visitor(_bridge);
        var token = Visitor.TokenOf(await visitor.SendAsync("/", "/login", Token, ("user", "1")));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            for (var i = 0; i < each / 2; i++)
                await visitor.PostAsync(worker % 2 == 0 ? "/count" : "/net/count", token, Token);
        }));
        var (php, net) = (await visitor.ViewAsync("", Token), await visitor.ViewAsync("/net", Token));
        Assert.Equal(php, net);
        Assert.Equal((each, each), (net.ByPhp, net.ByNet));
    }

    /// <summary>Both halves say the same, in JSON and on the page that shows both.</summary>
    private static async Task AssertSameAsync(Visitor visitor, string name, string user)
    {
        var (php, net) = (await visitor.ViewAsync("", Token), await visitor.ViewAsync("/net", Token));
        Assert.Equal(php, net);
        Assert.Equal((name, user), (net.Name, net.UserId));
        Assert.Equal(8, net.Fingerprint.Length);
        var page = await visitor.PageAsync("/net/session", Token);
        Assert.Equal("PHP and .NET see one session with the same values.", Visitor.Text(page, "verdict"));
        Assert.Equal(net.Fingerprint, Visitor.Text(page, "php-fingerprint"));
    }

    /// <summary>Whoever has kept an id of before is nobody, in both halves.</summary>
    private async Task AssertDeadAsync(string id)
    {
        foreach (var half in (string[])["", "/net"])
        {
            using var thief = new Visitor(_bridge) { Id = id };
            var view = await thief.ViewAsync(half, Token);
            Assert.Equal((null, null, 0, 0), (view.Name, view.UserId, view.ByPhp, view.ByNet));
        }
    }
}

/// <summary>Sessions in Redis, as phpredis keeps them.</summary>
public sealed class RedisSharedSessionTests() : SharedSessionTests("redis");

/// <summary>Sessions in files, as PHP's own handler keeps them.</summary>
public sealed class FileSharedSessionTests() : SharedSessionTests("files");
