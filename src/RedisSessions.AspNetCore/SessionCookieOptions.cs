using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>
/// The session cookie. Always HttpOnly, and gone when the browser closes, unless <see cref="Session.IsPersistent"/>. Bound from the configuration section <c>Sessions:Cookie</c>, which has the last
/// word, and validated at start.
/// </summary>
public sealed class SessionCookieOptions
{
    /// <summary>The configuration section: <c>Sessions:Cookie</c>.</summary>
    public const string Section = "Sessions:Cookie";

    /// <summary>
    /// The name. Default: <c>__Host-session</c>, which browsers take from this host over HTTPS only. In Development, over plain HTTP, the prefix is left out.
    /// </summary>
    public string Name { get; set; } = "__Host-session";

    /// <summary>Whether the cookie goes along with requests from other sites. Default: Lax.</summary>
    public SameSiteMode SameSite { get; set; } = SameSiteMode.Lax;

    /// <summary>Whether the cookie travels over HTTPS only. Default: Always.</summary>
    public CookieSecurePolicy SecurePolicy { get; set; } = CookieSecurePolicy.Always;

    /// <summary>The domain. Default: none, which is this host alone.</summary>
    public string? Domain { get; set; }

    /// <summary>The path. Default: <c>/</c>.</summary>
    public string Path { get; set; } = "/";

    /// <summary>Whether the cookie is set without the visitor's consent (cookie policy middleware). Default: true.</summary>
    public bool IsEssential { get; set; } = true;

    /// <summary>The cookie as Laravel encrypts it, to share it with a Laravel application. Default: not encrypted; the id is a random secret by itself.</summary>
    public LaravelCookieOptions Laravel { get; set; } = new();
}

/// <summary>Refuses, at start, what browsers would refuse in silence.</summary>
internal sealed class SessionCookieOptionsValidator : IValidateOptions<SessionCookieOptions>
{
    public ValidateOptionsResult Validate(string? name, SessionCookieOptions options)
    {
        List<string> errors = [];
        if (string.IsNullOrEmpty(options.Name) || !options.Name.All(static c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal)))
            errors.Add($"Sessions:Cookie:Name is \"{options.Name}\": it must be a cookie name (letters, digits, - and _).");
        if (options.Path is null || !options.Path.StartsWith('/') || options.Path.AsSpan().ContainsAny(";\r\n"))
            errors.Add($"Sessions:Cookie:Path is \"{options.Path}\": it must begin with a slash.");
        if (options.Domain is { } domain && (domain.Length == 0 || !domain.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.')))
            errors.Add($"Sessions:Cookie:Domain is \"{domain}\": it must be a host name.");
        if (!Enum.IsDefined(options.SameSite))
            errors.Add($"Sessions:Cookie:SameSite is {options.SameSite}: it must be Lax, Strict, None or Unspecified.");
        if (!Enum.IsDefined(options.SecurePolicy))
            errors.Add($"Sessions:Cookie:SecurePolicy is {options.SecurePolicy}: it must be Always, SameAsRequest or None.");
        if (options.SameSite == SameSiteMode.None && options.SecurePolicy == CookieSecurePolicy.None)
            errors.Add("Sessions:Cookie:SameSite is None and SecurePolicy is None: browsers drop such a cookie. Set SecurePolicy to Always.");

        var host = options.Name?.StartsWith("__Host-", StringComparison.OrdinalIgnoreCase) ?? false;
        var secure = options.Name?.StartsWith("__Secure-", StringComparison.OrdinalIgnoreCase) ?? false;
        if (host && (options.Domain is not null || options.Path != "/"))
            errors.Add($"Sessions:Cookie:Name is \"{options.Name}\": browsers drop a __Host- cookie with a Domain or a Path other than \"/\". Remove those, or rename it.");
        if ((host || secure) && options.SecurePolicy != CookieSecurePolicy.Always)
            errors.Add($"Sessions:Cookie:Name is \"{options.Name}\" and SecurePolicy is {options.SecurePolicy}: browsers drop such a cookie. Set it to Always, or rename the cookie.");
        if (options.Laravel.AppKey is not null)
        {
            LaravelCookie.TryCreate(options.Laravel, out _, out var wrong);
            errors.AddRange(wrong);
        }
        else if (options.Laravel.PreviousKeys.Count > 0)
        {
            errors.Add("Sessions:Cookie:Laravel:PreviousKeys are set and AppKey is not: set AppKey to Laravel's APP_KEY, or remove them.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
