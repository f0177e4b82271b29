namespace RedisSessions;

/// <summary>
/// The session cookie encrypted as Laravel encrypts it, for a site of which Laravel still serves a part. Off until <see cref="AppKey"/> is set; then what is not
/// encrypted with that key, or with one of <see cref="PreviousKeys"/>, is no session. Bound from the configuration section <c>Sessions:Cookie:Laravel</c>.
/// </summary>
public sealed class LaravelCookieOptions
{
    /// <summary>
    /// Laravel's <c>APP_KEY</c> as it stands in its environment: <c>base64:…</c>, or the key itself; 32 bytes, or 16 with an AES-128 cipher. A secret: whoever has it can
    /// write cookies. Default: none, and the cookie is not encrypted.
    /// </summary>
    public string? AppKey { get; set; }

    /// <summary>Laravel's <c>APP_PREVIOUS_KEYS</c>, one each: cookies that were encrypted with them are still good. Default: none.</summary>
    public IList<string> PreviousKeys { get; } = [];

    /// <summary>Laravel's <c>app.cipher</c>: <c>AES-256-CBC</c>, <c>AES-128-CBC</c>, <c>AES-256-GCM</c> or <c>AES-128-GCM</c>. Default: AES-256-CBC, as there.</summary>
    public string Cipher { get; set; } = "AES-256-CBC";

    /// <summary>Whether Laravel's <c>EncryptCookies::$serialize</c> is true, so that a cookie holds a serialized string. Default: false, as there.</summary>
    public bool Serialize { get; set; }
}
