using System.Text.Json.Nodes;

namespace PhpBridge.Site;

/// <summary>Asks PHP what it sees in the session of a visitor, as the visitor would ask.</summary>
internal sealed class PhpView : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>Where the site is, once it is there.</summary>
    public Uri Site { get; set; } = new("http://127.0.0.1");

    public async Task<JsonNode?> AskAsync(HttpRequest visitor, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Site, "/session.json"));
        request.Headers.TryAddWithoutValidation("Cookie", (IEnumerable<string?>)visitor.Headers.Cookie);
        using var answer = await _client.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return await JsonNode.ParseAsync(await answer.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
    }

    public void Dispose() => _client.Dispose();
}
