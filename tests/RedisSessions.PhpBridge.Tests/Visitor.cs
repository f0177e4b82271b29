using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace RedisSessions.PhpBridge.Tests;

/// <summary>A browser without a window and with one cookie jar: follows redirects, sends forms with their token, and looks for its session id in all that it gets.</summary>
internal sealed partial class Visitor : IDisposable
{
    public const string Cookie = "PHPSESSID";

    private readonly BridgeProcess _bridge;
    private readonly HttpClient _client;
    private readonly HashSet<string> _ids = [];

    public Visitor(BridgeProcess bridge)
    {
        _bridge = bridge;
        Jar = new CookieContainer();
        _client = new HttpClient(new SocketsHttpHandler { CookieContainer = Jar, UseProxy = false }) { BaseAddress = bridge.Address };
    }

    public CookieContainer Jar { get; }

    /// <summary>The value of the one session cookie; null when there is none. Two of them would be the failure of the whole.</summary>
    public string? Id
    {
        get => Jar.GetAllCookies().SingleOrDefault(static cookie => cookie.Name == Cookie && !cookie.Expired)?.Value;
        set => Jar.Add(_client.BaseAddress!, new Cookie(Cookie, value, "/"));
    }

    public async Task<string> PageAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await _client.GetAsync(path, cancellationToken);
        return await ReadAsync(answer, path, cancellationToken);
    }

    /// <summary>Sends a form of a page; gives the page that the redirect leads to.</summary>
    public async Task<string> SendAsync(string page, string action, CancellationToken cancellationToken, params (string Name, string Value)[] fields)
    {
        var token = Token().Match(await PageAsync(page, cancellationToken)).Groups[1].Value;
        return await PostAsync(action, token, cancellationToken, fields);
    }

    /// <summary>The same, with a token that is known already.</summary>
    public async Task<string> PostAsync(string action, string token, CancellationToken cancellationToken, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent([new("_token", token), .. fields.Select(static field => KeyValuePair.Create(field.Name, field.Value))]);
        using var answer = await _client.PostAsync(action, form, cancellationToken);
        return await ReadAsync(answer, action, cancellationToken);
    }

    /// <summary>What a half sees: "" for PHP, "/net" for .NET.</summary>
    public async Task<View> ViewAsync(string half, CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(await PageAsync(half + "/session.json", cancellationToken));
        var values = document.RootElement.GetProperty("values");
        return new View(document.RootElement.GetProperty("id").GetString()!, Text("account.name"), Text("account.current_user_id"), Count("php"), Count("net"));

        string? Text(string path) => path.Split('.').Aggregate((JsonElement?)values, static (at, step) => at is { ValueKind: JsonValueKind.Object } map && map.TryGetProperty(step, out var next) ? next : null)?.ToString();
        int Count(string by) => int.Parse(Text("visits." + by) ?? "0", CultureInfo.InvariantCulture);
    }

    public static string TokenOf(string page) => Token().Match(page).Groups[1].Value;

    /// <summary>The text of the element with this id; null when there is none.</summary>
    public static string? Text(string page, string id) =>
        Regex.Match(page, $"id=\"{id}\"[^>]*>([^<]*)<") is { Success: true } match ? WebUtility.HtmlDecode(match.Groups[1].Value) : null;

    public void Dispose()
    {
        _client.Dispose();
        // Neither half, nor nginx, has said who it was.
        foreach (var line in _bridge.Output.Concat(_bridge.Errors))
            Assert.DoesNotContain(_ids, id => line.Contains(id, StringComparison.Ordinal));
    }

    private async Task<string> ReadAsync(HttpResponseMessage answer, string path, CancellationToken cancellationToken)
    {
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {answer.StatusCode}: {body}");
        lock (_ids)
        {
            if (Id is { } id)
                _ids.Add(id);
            Assert.DoesNotContain(_ids, id => body.Contains(id, StringComparison.Ordinal));
        }

        return body;
    }

    [GeneratedRegex("""name="_token" value="([0-9a-f]+)""")]
    private static partial Regex Token();
}

/// <summary>One half's view of the session.</summary>
internal sealed record View(string Fingerprint, string? Name, string? UserId, int ByPhp, int ByNet);
