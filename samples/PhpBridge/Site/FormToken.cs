using System.Security.Cryptography;
using System.Text;
using RedisSessions;

namespace PhpBridge.Site;

/// <summary>Other sites must not send our forms: each form repeats a secret of the session. Both halves write it, and both check it.</summary>
internal static class FormToken
{
    public const string Field = "_token";
    private const string Key = "site.csrf";

    public static string For(Session session) => session.Get<string>(Key) is { } token ? token : Renew(session);

    public static string Renew(Session session)
    {
        var token = RandomNumberGenerator.GetHexString(32, lowercase: true);
        session[Key] = token;
        return token;
    }

    /// <summary>Lets a form through to its endpoint, or back to a page with a message.</summary>
    public static async ValueTask<object?> CheckAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var request = context.HttpContext.Request;
        var session = context.HttpContext.GetSession();
        if (!request.HasFormContentType)
            return Results.StatusCode(StatusCodes.Status415UnsupportedMediaType);
        var form = await request.ReadFormAsync(context.HttpContext.RequestAborted);
        if (session.Get<string>(Key) is { } token
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(form[Field].ToString())))
        {
            return await next(context);
        }

        session["message"] = "That form belonged to a session that has ended. Nothing was done; please try again.";
        return Results.Redirect("/net/profile");
    }
}
