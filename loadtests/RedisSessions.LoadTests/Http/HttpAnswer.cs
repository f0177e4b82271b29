using System.Globalization;
using System.Text;

namespace RedisSessions.LoadTests.Http;

/// <summary>What came back.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Body">The body, as UTF-8.</param>
/// <param name="Cookie">The session cookie that the response set; null when it set none; empty when it expired it.</param>
internal sealed record HttpAnswer(int Status, string Body, string? Cookie)
{
    /// <summary>The request went out, and no answer came: it may have been carried out.</summary>
    public static readonly HttpAnswer Lost = new(0, "", null);

    /// <summary>No instance took the request.</summary>
    public static readonly HttpAnswer Unsent = new(-1, "", null);

    /// <summary>The answer in what has come of a response; null when there is more to come.</summary>
    /// <exception cref="FormatException">It is no response, or there is something behind it.</exception>
    public static HttpAnswer? Of(ReadOnlySpan<byte> bytes)
    {
        if (!ResponseParser.TryParse(bytes, out var response))
            return null;
        if (response.Length != bytes.Length)
            throw new FormatException("The server sent more than the response.");
        return new HttpAnswer(response.Status, Encoding.UTF8.GetString(response.Body), response.Cookie("session"u8));
    }

    public bool IsOk => Status == 200;

    /// <summary>Whether a change may be stored although this is no success. 503 says that the outcome is unknown; a server error may come after the store.</summary>
    public bool MayBeStored => Status is 0 or >= 500;

    /// <summary>What went wrong, for counting: few different texts.</summary>
    public string Failure => Status switch
    {
        0 => "connection broke",
        -1 => "no instance",
        200 => "wrong answer",
        _ => string.Create(CultureInfo.InvariantCulture, $"status {Status}"),
    };
}
