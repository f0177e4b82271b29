using System.Net;
using System.Text;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>What came back: status, headers, body, and what it did to the session cookie.</summary>
internal sealed record Answer(HttpStatusCode Status, string Body, string? SetCookie, HttpResponseMessage Message)
{
    /// <summary>The session id that this answer sets; null when it sets none.</summary>
    public string? Id => SetCookie?.Split(';')[0].Split('=', 2)[1] is { Length: > 0 } id ? id : null;

    public bool IsProblem => Message.Content.Headers.ContentType?.MediaType == "application/problem+json";
}

/// <summary>A client that keeps one session cookie, as a browser does; or sends what it is told, as a browser does not.</summary>
internal sealed class Browser(params Uri[] instances) : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        UseCookies = false,
        AllowAutoRedirect = false,
        RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        MaxConnectionsPerServer = 200,
    }) { Timeout = TimeSpan.FromSeconds(60) };

    private int _next;

    public string CookieName { get; init; } = "session";

    /// <summary>The session id that the next request sends.</summary>
    public string? Id
    {
        get;
        set
        {
            field = value;
            Secrets.Note(value);
        }
    }

    /// <summary>Sends a request to the next instance, round robin, and keeps the cookie of the answer.</summary>
    public Task<Answer> GetAsync(string path) => KeepAsync(HttpMethod.Get, path);

    /// <summary>The same by POST.</summary>
    public Task<Answer> PostAsync(string path) => KeepAsync(HttpMethod.Post, path);

    private async Task<Answer> KeepAsync(HttpMethod method, string path)
    {
        var answer = await SendUntilAsync(path, Id is null ? null : $"{CookieName}={Id}", TestContext.Current.CancellationToken, method);
        if (answer.SetCookie is not null)
            Id = answer.Id;
        return answer;
    }

    /// <summary>Sends the cookie header given, and keeps nothing.</summary>
    public Task<Answer> SendAsync(string path, string? cookie) => SendUntilAsync(path, cookie, TestContext.Current.CancellationToken);

    /// <summary>The same, from a browser that may go away.</summary>
    public async Task<Answer> SendUntilAsync(string path, string? cookie, CancellationToken cancellationToken, HttpMethod? method = null)
    {
        var instance = instances[(uint)Interlocked.Increment(ref _next) % instances.Length];
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, new Uri(instance, path));
        if (cookie is not null)
            request.Headers.TryAddWithoutValidation("Cookie", cookie);
        var response = await _client.SendAsync(request, cancellationToken);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var cookies = response.Headers.TryGetValues("Set-Cookie", out var set) ? set.Where(value => value.StartsWith(CookieName + "=", StringComparison.Ordinal)).ToArray() : [];
        Assert.True(cookies.Length < 2, "one answer sets the session cookie twice");
        var answer = new Answer(response.StatusCode, body, cookies.SingleOrDefault(), response);
        Secrets.Note(answer.Id);
        // The framework's page for developers shows a request's cookies, and the tests run as developers do.
        if (response.StatusCode != HttpStatusCode.InternalServerError)
            Secrets.Seen($"the body of {path.Split('?')[0]}", body);
        foreach (var (name, values) in response.Headers.Where(header => header.Key != "Set-Cookie"))
            Secrets.Seen($"the header {name} of {path.Split('?')[0]}", string.Join(' ', values));
        return answer;
    }

    /// <summary>The same request many times at once, over all instances.</summary>
    public Task<Answer[]> AtOnceAsync(int count, Func<int, string> path)
    {
        var cookie = $"{CookieName}={Id}";
        return Task.WhenAll(Enumerable.Range(0, count).Select(i => SendAsync(path(i), cookie)));
    }

    public void Dispose() => _client.Dispose();
}
