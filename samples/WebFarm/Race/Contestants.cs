using RedisSessions;
using WebFarm.Shop;

namespace WebFarm.Race;

/// <summary>The two increments that race. The page shows the code between the marks, as it was compiled.</summary>
internal static class Contestants
{
    public const string Framework = "/api/race/framework", Ours = "/api/race/redis-sessions";

    public static void MapContestants(this WebApplication app)
    {
        var race = app.MapGroup("").AddEndpointFilter(ApiEndpoints.RequireHeader);
        race.MapPost(Framework, (Delegate)IncrementFrameworkAsync).WithSessionAccess(SessionAccess.None);
        race.MapGet(Framework, (Delegate)ReadFramework).WithSessionAccess(SessionAccess.None);
        race.MapPost(Ours, IncrementOursAsync);
        race.MapGet(Ours, static (Session session) => session.Get<int>("n"));
    }

    private static int ReadFramework(HttpContext context) => context.Session.GetInt32("n") ?? 0;

    private static async Task IncrementFrameworkAsync(HttpContext context)
    {
        var session = context.Session;
        // <framework>
        await session.LoadAsync();
        var n = session.GetInt32("n") ?? 0;
        await Task.Delay(5);    // real code takes time
        session.SetInt32("n", n + 1);
        await session.CommitAsync();
        // </framework>
    }

    private static async Task IncrementOursAsync(Session session)
    {
        // <redis-sessions>
        await session.UpdateAsync(async session =>
        {
            var n = session.Get<int>("n");
            await Task.Delay(5);    // real code takes time
            session["n"] = n + 1;
        });
        // </redis-sessions>
    }
}
