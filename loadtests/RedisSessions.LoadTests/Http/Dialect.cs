using System.Text;

namespace RedisSessions.LoadTests.Http;

/// <summary>How a site is asked for what scenarios do. They speak the routes of <c>TargetApp</c>.</summary>
internal enum Dialect
{
    /// <summary>The routes as they are.</summary>
    TargetApp,

    /// <summary>The routes for scripts of <c>samples/WebFarm</c>, which has a new session (<c>/seed</c>) and counting (<c>/incr</c>).</summary>
    Shop,
}

internal static class DialectExtensions
{
    /// <summary>The bytes of a request.</summary>
    /// <exception cref="UsageException">The site has nothing like it.</exception>
    public static byte[] Request(this Dialect dialect, Uri target, string path, string? cookie) => dialect == Dialect.TargetApp
        ? RequestBytes.Get(target, path, cookie)
        : Encoding.ASCII.GetBytes(
            $"POST {ShopPath(path)} HTTP/1.1\r\nHost: {target.Authority}\r\nX-Web-Farm: load\r\nContent-Length: 0\r\n{(cookie is null ? "" : $"Cookie: session={cookie}\r\n")}\r\n");

    private static string ShopPath(string path) => path switch
    {
        "/seed" => "/api/login?user=visitor",
        "/incr" => "/api/increment",
        _ => throw new UsageException($"The shop has nothing like {path}: with --shop only cart-race can be run."),
    };
}
