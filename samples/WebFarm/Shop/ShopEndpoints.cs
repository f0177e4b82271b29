using Microsoft.AspNetCore.Http.HttpResults;
using RedisSessions;
using WebFarm.Farm;
using WebFarm.Race;

namespace WebFarm.Shop;

/// <summary>The page and its forms. Every form answers with a redirect, so that a reload repeats nothing.</summary>
internal static class ShopEndpoints
{
    public static void MapShop(this WebApplication app, string name)
    {
        app.MapGet("/", (HttpContext context, Session session) =>
            Results.Content(Page.Render(new PageModel(name, FarmView.Of(context.Request), session, context.Request.Query.ContainsKey("bye"))).ToString(), "text/html; charset=utf-8"));

        // The form token is ours, see FormToken: the framework's would need its keys.
        var forms = app.MapGroup("").AddEndpointFilter(FormToken.CheckAsync).DisableAntiforgery();

        forms.MapPost("/login", static (IFormCollection form, Session session) =>
        {
            var user = form["name"].ToString().Trim();
            if (user.Length is 0 or > 40)
                return Back(session, "Please give a name of at most 40 characters.");
            Account.LogIn(session, user);
            return Back(session, $"Welcome, {user}. Your session has a new id, and what was in the cart is still there.");
        });

        forms.MapPost("/logout", static (Session session) =>
        {
            Account.LogOut(session);
            return TypedResults.Redirect("/?bye");
        });

        MapCart("/cart/add", static (session, product) =>
        {
            Cart.Add(session, product);
            session.Flash("message", $"{product.Name}: in the cart.");
            return ValueTask.CompletedTask;
        });

        MapCart("/cart/take", Cart.TakeAsync);

        MapCart("/cart/remove", static (session, product) =>
        {
            Cart.Remove(session, product);
            session.Flash("message", $"{product.Name}: taken out of the cart.");
            return ValueTask.CompletedTask;
        });

        forms.MapPost("/race", static async (HttpContext context, Session session) =>
        {
            if (FarmView.Of(context.Request) is { } farm)
                session.Set("race", await RaceTrack.RunAsync(farm.Address, context.RequestAborted));
            return TypedResults.Redirect("/#race");
        });

        MapOrder("/instances/kill", FarmOrder.Kill, "was killed. Your session is not in any instance, so it lives on.");
        MapOrder("/instances/start", FarmOrder.Start, "was started again. It knows you at once.");

        void MapCart(string route, Func<Session, Product, ValueTask> change) => forms.MapPost(route, async (IFormCollection form, Session session) =>
        {
            if (Catalog.Find(form["product"]) is { } product)
                await change(session, product);
            return TypedResults.Redirect("/#cart");
        });

        void MapOrder(string route, string verb, string outcome) => forms.MapPost(route, (HttpContext context, IFormCollection form, Session session) =>
        {
            var instance = form["instance"].ToString();
            if (FarmView.Of(context.Request)?.Instances.Any(other => other.Name == instance) is true)
            {
                context.Response.Headers[FarmOrder.Header] = new FarmOrder(verb, instance).ToString();
                session.Flash("message", $"Instance {instance} {outcome}");
            }

            return TypedResults.Redirect("/#farm");
        });
    }

    private static RedirectHttpResult Back(Session session, string message)
    {
        session.Flash("message", message);
        return TypedResults.Redirect("/");
    }
}
