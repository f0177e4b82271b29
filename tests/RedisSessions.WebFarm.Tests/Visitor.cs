using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using RedisSessions.TestServers;

[assembly: AssemblyFixture(typeof(Secrets))]

namespace RedisSessions.WebFarm.Tests;

/// <summary>A browser without a window: keeps cookies, sends forms with their token, follows redirects.</summary>
internal sealed partial class Visitor : IDisposable
{
    private readonly HttpClient _client;

    public Visitor(FarmProcess farm)
    {
        Cookies = new CookieContainer();
        _client = new HttpClient(new Witness(new SocketsHttpHandler { CookieContainer = Cookies, UseProxy = false })) { BaseAddress = farm.Address };
        _client.DefaultRequestHeaders.Add("X-Web-Farm", "1");
    }

    public CookieContainer Cookies { get; }

    public Uri Address => _client.BaseAddress!;

    /// <summary>The page, which must be there.</summary>
    public async Task<string> PageAsync(CancellationToken cancellationToken)
    {
        using var answer = await _client.GetAsync("/", cancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(cancellationToken);
    }

    /// <summary>Sends a form of the page; gives the page that the redirect leads to.</summary>
    public async Task<string> SendAsync(string action, string field, string value, CancellationToken cancellationToken, string? token = null)
    {
        token ??= Token().Match(await PageAsync(cancellationToken)).Groups[1].Value;
        using var form = new FormUrlEncodedContent([new("_token", token), new(field, value)]);
        using var answer = await _client.PostAsync(action, form, cancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(cancellationToken);
    }

    public Task<HttpResponseMessage> GetAsync(string route, CancellationToken cancellationToken) => _client.GetAsync(route, cancellationToken);

    public Task<HttpResponseMessage> PostAsync(string route, CancellationToken cancellationToken) => _client.PostAsync(route, null, cancellationToken);

    public async Task<int> IncrementAsync(CancellationToken cancellationToken)
    {
        using var answer = await PostAsync("/api/increment", cancellationToken);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}: {text}");
        return int.Parse(text, CultureInfo.InvariantCulture);
    }

    public async Task<string> WhoAmIAsync(CancellationToken cancellationToken) => (await _client.GetStringAsync("/api/whoami", cancellationToken)).TrimEnd();

    public async Task LogInAsync(string user, CancellationToken cancellationToken)
    {
        using var answer = await PostAsync($"/api/login?user={Uri.EscapeDataString(user)}", cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    public async Task<IReadOnlyList<Instance>> InstancesAsync(CancellationToken cancellationToken) =>
        (await _client.GetFromJsonAsync<FarmState>("/api/farm", cancellationToken))!.Instances;

    public void Dispose() => _client.Dispose();

    /// <summary>Remembers the session ids that answers set, and what else they say.</summary>
    private sealed class Witness(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = await base.SendAsync(request, cancellationToken);
            foreach (var (name, values) in answer.Headers)
            {
                foreach (var value in values)
                {
                    if (name == "Set-Cookie")
                        Secrets.Note(value.Split(';')[0].Split('=', 2)[^1]);
                    else
                        Secrets.Seen($"the header {name} of the farm", value);
                }
            }

            await answer.Content.LoadIntoBufferAsync(cancellationToken);
            Secrets.Seen($"the body of {request.RequestUri!.AbsolutePath}", await answer.Content.ReadAsStringAsync(cancellationToken));
            return answer;
        }
    }

    [GeneratedRegex("""name="_token" value="([0-9a-f]+)""")]
    private static partial Regex Token();
}

internal sealed record FarmState(string Address, IReadOnlyList<Instance> Instances);

internal sealed record Instance(string Name, int Pid, bool Up);

internal sealed record RaceAnswer(LapAnswer Framework, LapAnswer RedisSessions);

internal sealed record LapAnswer(int Sent, int Answered, int Kept, int Lost, string Instances);
