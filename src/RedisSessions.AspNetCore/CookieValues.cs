using Microsoft.Extensions.Primitives;

namespace RedisSessions;

/// <summary>
/// The values of all cookies of one name in a request, as they came. The framework's collection decodes and keeps every cookie of the request, takes
/// capitals for small letters, and knows the first cookie of a name only.
/// </summary>
internal ref struct CookieValues(StringValues headers, string name)
{
    // Browsers take these two off a name before they look for a prefix that protects it. Other white space stays in the name, so that a sibling host may set
    // such a cookie: a server that takes it off as well reads the protected name (RFC 6265bis, 5.7).
    private const string TakenOffByBrowsers = " \t";

    private StringValues.Enumerator _headers = headers.GetEnumerator();
    private ReadOnlySpan<char> _rest;

    public ReadOnlySpan<char> Current { get; private set; }

    public readonly CookieValues GetEnumerator() => this;

    public bool MoveNext()
    {
        while (true)
        {
            while (!_rest.IsEmpty)
            {
                var end = _rest.IndexOf(';');
                var pair = (end < 0 ? _rest : _rest[..end]).Trim(TakenOffByBrowsers);
                _rest = end < 0 ? default : _rest[(end + 1)..];
                if (pair.Length <= name.Length || pair[name.Length] != '=' || !pair.StartsWith(name, StringComparison.Ordinal))
                    continue;
                Current = pair[(name.Length + 1)..];
                return true;
            }

            if (!_headers.MoveNext())
                return false;
            _rest = _headers.Current;
        }
    }
}
