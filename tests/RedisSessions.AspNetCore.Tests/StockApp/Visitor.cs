using System.Net;
using RedisSessions.TestServers;
using System.Text.RegularExpressions;

namespace RedisSessions.AspNetCore.Tests.StockApp;

/// <summary>A visitor of the shop, with a browser's cookies; the shop may be replaced by another one meanwhile.</summary>
internal sealed partial class Visitor : IDisposable
{
    // By name and not by port, as a browser keeps them.
    private readonly CookieContainer _cookies = new();
    private readonly HttpClient _client;
    private string? _token;

    public Visitor(AppProcess shop)
    {
        Shop = shop;
        _client = new HttpClient(new SocketsHttpHandler
        {
            CookieContainer = _cookies, AllowAutoRedirect = false, MaxConnectionsPerServer = 100, UseProxy = false,
        }) { Timeout = TimeSpan.FromSeconds(60) };
    }

    public AppProcess Shop { get; set; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public IEnumerable<string> CookieNames => _cookies.GetCookies(Shop.Address).Select(static cookie => cookie.Name);

    /// <summary>A page, which must be there.</summary>
    public async Task<string> PageAsync(string path)
    {
        using var answer = await _client.GetAsync(new Uri(Shop.Address, path), Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Token);
    }

    public async Task SignInAsync(string name) => Assert.Equal(HttpStatusCode.Found, await PostAsync("/SignIn", "name", name));

    public async Task<HttpStatusCode> AddAsync(string sku) => await PostAsync("/", "sku", sku);

    /// <summary>The cart as its page shows it.</summary>
    public async Task<string[]> CartAsync() => [.. Line().Matches(await PageAsync("/Basket")).Select(static match => match.Groups[1].Value).Order(StringComparer.Ordinal)];

    /// <summary>Who the shop says is signed in; null when nobody is.</summary>
    public async Task<string?> UserAsync() => User().Match(await PageAsync("/Basket")) is { Success: true } match ? match.Groups[1].Value : null;

    public async Task<HttpStatusCode> PostAsync(string path, string field, string value)
    {
        _token ??= Antiforgery().Match(await PageAsync("/SignIn")).Groups[1].Value;
        using var form = new FormUrlEncodedContent([new("__RequestVerificationToken", _token), new(field, value)]);
        using var answer = await _client.PostAsync(new Uri(Shop.Address, path), form, Token);
        return answer.StatusCode;
    }

    public void Dispose() => _client.Dispose();

    [GeneratedRegex("""name="__RequestVerificationToken" type="hidden" value="([^"]+)""")]
    private static partial Regex Antiforgery();

    [GeneratedRegex("data-sku=\"([^\"]+)\"")]
    private static partial Regex Line();

    [GeneratedRegex("""<span id="user">([^<]*)<""")]
    private static partial Regex User();
}
