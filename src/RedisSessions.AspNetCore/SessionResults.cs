using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace RedisSessions;

/// <summary>What a failed session becomes in HTTP: 409, 413 or 503 as problem+json. Says nothing of ids, values or the store.</summary>
internal static partial class SessionResults
{
    private const string RetryAfterSeconds = "2";

    /// <summary>Replaces whatever the endpoint had prepared for the head of the response.</summary>
    public static byte[] Prepare(HttpResponse response, SessionException failure)
    {
        var problem = failure switch
        {
            SessionConflictException { SessionEnded: true } => new Problem(
                "urn:redis-sessions:ended", "The session has ended", StatusCodes.Status409Conflict,
                "The session ended while this request was running, and nothing was stored."),
            SessionConflictException => new Problem(
                "urn:redis-sessions:conflict", "The session was changed by another request", StatusCodes.Status409Conflict,
                "Another request changed this session while this one was running, and nothing was stored. Send the request again."),
            SessionTooLargeException => new Problem(
                "urn:redis-sessions:too-large", "The session is too large", StatusCodes.Status413PayloadTooLarge,
                "The session would be larger than is allowed, and nothing was stored."),
            SessionBusyException => new Problem(
                "urn:redis-sessions:busy", "The session is busy", StatusCodes.Status503ServiceUnavailable,
                "Other requests of this session are at work, and this one was not begun. Send it again in a moment."),
            _ => new Problem(
                "urn:redis-sessions:store", "Sessions are not available", StatusCodes.Status503ServiceUnavailable,
                "The session store does not answer as it should. Send the request again in a moment."),
        };
        var body = JsonSerializer.SerializeToUtf8Bytes(problem, ProblemJson.Default.Problem);
        response.Clear();
        response.StatusCode = problem.Status;
        response.ContentType = "application/problem+json";
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
            response.Headers.RetryAfter = RetryAfterSeconds;
        return body;
    }

    internal sealed record Problem(string Type, string Title, int Status, string Detail);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Problem))]
    private sealed partial class ProblemJson : JsonSerializerContext;
}
