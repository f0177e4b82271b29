using System.Text;

namespace RedisSessions.LoadTests.Http;

/// <summary>A request as it goes over the wire.</summary>
internal static class RequestBytes
{
    /// <summary>The bytes of a GET.</summary>
    /// <param name="target">Whom it is for.</param>
    /// <param name="path">Path and query, escaped.</param>
    /// <param name="cookie">The value of the session cookie, or null for none.</param>
    public static byte[] Get(Uri target, string path, string? cookie) => Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: {target.Authority}\r\n{(cookie is null ? "" : $"Cookie: session={cookie}\r\n")}\r\n");
}
