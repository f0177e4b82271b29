using System.Net;
using System.Net.Http.Json;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Wire;
using RedisSessions.Consistency.Scripts;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http;

/// <summary>
/// One browser: its cookie is what the last response that arrived has set. Several requests may be under way at once, as with a page and
/// its images.
/// </summary>
internal sealed class Browser(int number, CookieNumbers numbers, HistoryClock clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Lock _lock = new();
    private string? _cookie;

    public int Number => number;

    /// <summary>A tab of the same browser whose next request has been put together already: with the cookie of now.</summary>
    public Browser Tab()
    {
        lock (_lock)
            return new Browser(number, numbers, clock) { _cookie = _cookie };
    }

    /// <summary>Sends a request.</summary>
    /// <param name="process">The process to ask.</param>
    /// <param name="request">What to ask.</param>
    /// <param name="leaving">Cancelled when the visitor closes the page before the answer.</param>
    public async Task<Sent> SendAsync(FarmProcess process, Request request, CancellationToken leaving)
    {
        string? cookie;
        long began;
        lock (_lock)
            (cookie, began) = (_cookie, clock.Next());
        var sent = new Sent(request, number, process.Number, cookie is null ? null : numbers.Of(cookie), began, clock.Milliseconds)
        {
            ClockOffset = (long)process.ClockOffset.TotalMilliseconds,
        };
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(process.Address, ProcessSettings.Run(request.Access)));
        message.Content = JsonContent.Create(request, options: Json.Options);
        if (cookie is not null)
            message.Headers.TryAddWithoutValidation("Cookie", $"{ProcessSettings.Cookie}={cookie}");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(leaving);
        patience.CancelAfter(Patience);
        try
        {
            using var response = await process.Client.SendAsync(message, HttpCompletionOption.ResponseContentRead, patience.Token);
            return Received(sent, response, await response.Content.ReadAsStringAsync(CancellationToken.None));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return sent;
        }
    }

    /// <summary>
    /// The jar and the clock move together, so that the history knows which of two parallel responses the browser saw last.
    /// </summary>
    private Sent Received(Sent sent, HttpResponseMessage response, string body)
    {
        string? id = null;
        var answer = CookieAnswer.None;
        if (response.Headers.TryGetValues("Set-Cookie", out var headers))
            (answer, id) = Read(headers.Last());
        Secrets.Note(id);
        Secrets.Seen("the body of a response", body);
        lock (_lock)
        {
            if (answer != CookieAnswer.None)
                _cookie = id;
            return sent with
            {
                Ended = clock.Next(),
                Status = (int)response.StatusCode,
                Body = body,
                Answer = answer,
                NewCookie = id is null ? null : numbers.Of(id),
            };
        }
    }

    private static (CookieAnswer Answer, string? Id) Read(string header)
    {
        var pair = header.Split(';', 2);
        var value = pair[0][(pair[0].IndexOf('=', StringComparison.Ordinal) + 1)..];
        return value.Length == 0 ? (CookieAnswer.Expired, null) : (CookieAnswer.Issued, WebUtility.UrlDecode(value));
    }
}
