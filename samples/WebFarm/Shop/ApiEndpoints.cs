using System.Globalization;
using RedisSessions;
using WebFarm.Farm;
using WebFarm.Race;

namespace WebFarm.Shop;

/// <summary>The same session for scripts, in plain text.</summary>
internal static class ApiEndpoints
{
    /// <summary>No form and no link of another site can send a header of its own, so this one stands in for the form token.</summary>
    public const string Header = "X-Web-Farm";

    public static void MapApi(this WebApplication app)
    {
        var api = app.MapGroup("/api").AddEndpointFilter(RequireHeader);

        api.MapPost("/login", static (Session session, string user = "somebody") =>
        {
            Account.LogIn(session, user);
            return $"logged in as {user}\n";
        });

        api.MapPost("/increment", static async (Session session) =>
        {
            var count = await session.UpdateAsync(static session =>
            {
                var next = session.Get<int>("count") + 1;
                session["count"] = next;
                return next;
            });
            return string.Create(CultureInfo.InvariantCulture, $"{count}\n");
        });

        api.MapGet("/increment", static (Session session) => string.Create(CultureInfo.InvariantCulture, $"{session.Get<int>("count")}\n"))
            .WithSessionAccess(SessionAccess.ReadOnly);

        api.MapGet("/whoami", static (Session session) => $"{Account.Name(session) ?? "nobody"}\n").WithSessionAccess(SessionAccess.ReadOnly);

        api.MapPost("/logout", static (Session session) =>
        {
            Account.LogOut(session);
            return "logged out\n";
        });

        api.MapGet("/farm", static (HttpContext context) => Results.Json(FarmView.Of(context.Request), FarmJson.Default.FarmView))
            .WithSessionAccess(SessionAccess.None);

        api.MapPost("/race", static async (HttpContext context) => FarmView.Of(context.Request) is { } farm
            ? Results.Json(await RaceTrack.RunAsync(farm.Address, context.RequestAborted))
            : Results.StatusCode(StatusCodes.Status503ServiceUnavailable)).WithSessionAccess(SessionAccess.None);
    }

    public static async ValueTask<object?> RequireHeader(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.Request.Headers.ContainsKey(Header)
            ? await next(context)
            : Results.Text($"Send the header {Header}: 1\n", statusCode: StatusCodes.Status403Forbidden);
}
