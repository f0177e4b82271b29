using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using RedisSessions.TestServers;

namespace RedisSessions.WebFarm.Tests;

/// <summary>An instance by itself, as it runs in a container.</summary>
public sealed partial class ShopServerTests : IAsyncLifetime
{
    private const string Password = "aPasswordWith26LettersInIt";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly string _passwordFile = Path.GetTempFileName();
    private readonly int _metricsPort = FreePort.Next();
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private RedisProcess? _redis;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Dictionary<string, string> Settings => new()
    {
        ["Sessions__Redis__Configuration"] = _redis!.Configuration,
        ["Sessions__Cookie__Name"] = "session",
        ["Sessions__Cookie__SecurePolicy"] = "SameAsRequest",
        ["Sessions__ShutdownDelay"] = "00:00:00",
        ["Redis__PasswordFile"] = _passwordFile,
        ["Metrics__Port"] = _metricsPort.ToString(CultureInfo.InvariantCulture),
    };

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisProcess.TryStartAsync(["--requirepass", Password], Token);
        Assert.SkipWhen(_redis is null, "no redis-server on the PATH");
        // While a password changes there are two, and the first is the one to use.
        await File.WriteAllTextAsync(_passwordFile, Password + "\nthe-former-one\n", Token);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        File.Delete(_passwordFile);
        if (_redis is not null)
            await _redis.DisposeAsync();
    }

    [Fact]
    public async Task It_takes_the_password_of_redis_from_a_file_and_serves()
    {
        await using var shop = await StartAsync();
        using var answer = await SendAsync(HttpMethod.Post, "/api/increment");
        Assert.Equal("1\n", await answer.Content.ReadAsStringAsync(Token));
        Assert.Equal(Environment.MachineName, Assert.Single(answer.Headers.GetValues("X-Instance")));
        Assert.NotEmpty(answer.Headers.GetValues("X-Version"));
        Assert.DoesNotContain(shop.Output.Concat(shop.Errors), static line => line.Contains(Password, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_are_on_their_own_port_only()
    {
        await using var shop = await StartAsync();
        using (await SendAsync(HttpMethod.Post, "/api/increment"))
        {
        }

        Assert.Contains("redissessions_sessions_issued_total", await _client.GetStringAsync(new Uri($"http://127.0.0.1:{_metricsPort}/metrics"), Token), StringComparison.Ordinal);
        using var visitor = await SendAsync(HttpMethod.Get, "/metrics");
        Assert.Equal(HttpStatusCode.NotFound, visitor.StatusCode);
    }

    [Fact]
    public async Task A_visitor_cannot_tell_it_where_the_farm_is()
    {
        await using var shop = await StartAsync();
        _client.DefaultRequestHeaders.Add("X-Farm", """{"address":"http://127.0.0.1:9","instances":[]}""");
        using var race = await SendAsync(HttpMethod.Post, "/api/race");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, race.StatusCode);
        using var farm = await SendAsync(HttpMethod.Get, "/api/farm");
        Assert.Equal("", await farm.Content.ReadAsStringAsync(Token));
        // The page has neither the race nor the buttons that kill: nobody here could do it.
        using var page = await SendAsync(HttpMethod.Get, "/");
        var html = await page.Content.ReadAsStringAsync(Token);
        Assert.Contains("""id="cart""", html, StringComparison.Ordinal);
        Assert.DoesNotContain("""id="race""", html, StringComparison.Ordinal);
        Assert.DoesNotContain("""id="farm""", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_health_check_of_its_image_says_how_it_is_by_exit_code()
    {
        await using var shop = await StartAsync();
        var port = _client.BaseAddress!.Port.ToString(CultureInfo.InvariantCulture);
        Assert.Equal(0, await CheckAsync("/health/live", port));
        Assert.Equal(0, await CheckAsync("/health/ready", port));
        await _redis!.KillAsync();
        await Poll.UntilAsync(async () => await CheckAsync("/health/ready", port) == 1, Patience, "readiness to fail without Redis", Token);
        Assert.Equal(0, await CheckAsync("/health/live", port));
        Assert.Equal(1, await CheckAsync("/health/live", FreePort.Next().ToString(CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_password_file_that_is_empty_or_not_there_is_one_line(bool isThere)
    {
        File.Delete(_passwordFile);
        if (isThere)
            await File.WriteAllTextAsync(_passwordFile, "\n", Token);
        await using var shop = FarmProcess.Launch(Settings, "--role", "shop", "--urls", "http://127.0.0.1:0");
        Assert.Equal(1, await shop.ExitCodeAsync(Token));
        Assert.Contains(_passwordFile, Assert.Single(shop.Errors), StringComparison.Ordinal);
    }

    private static async Task<int> CheckAsync(string path, string port)
    {
        // The first port is that of visitors.
        await using var check = FarmProcess.Launch(new() { ["ASPNETCORE_HTTP_PORTS"] = $"{port};1" }, "--role", "health", path);
        return await check.ExitCodeAsync(Token);
    }

    private async Task<FarmProcess> StartAsync()
    {
        var shop = FarmProcess.Launch(Settings, "--role", "shop", "--urls", $"http://127.0.0.1:0;http://127.0.0.1:{_metricsPort}");
        try
        {
            string? Address() => shop.Output.Select(static line => Listening().Match(line).Groups[1].Value)
                .FirstOrDefault(address => address.Length > 0 && !address.EndsWith($":{_metricsPort}", StringComparison.Ordinal));
            await Poll.UntilAsync(() => Address() is not null, Patience, $"the shop to listen; it says: {string.Join(" | ", shop.Errors)}", Token);
            _client.BaseAddress = new Uri(Address()!);
            _client.DefaultRequestHeaders.Add("X-Web-Farm", "1");
            return shop;
        }
        catch
        {
            await shop.DisposeAsync();
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        return await _client.SendAsync(request, Token);
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();
}
