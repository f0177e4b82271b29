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
        {
            var page = new PageModel(name, FarmView.Of(context.Request), session, HasLoggedOut: context.Request.Query.ContainsKey("bye"));
            return Results.Content(Page.Render(page).ToString(), "text/html; charset=utf-8");
        });

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

        MapCart("/cart/add", "/", static (session, product) =>
        {
            Cart.Add(session, product);
            session.Flash("message", $"{product.Name}: in the cart.");
            return ValueTask.CompletedTask;
        });

        MapCart("/cart/more", "/#cart", static (session, product) =>
        {
            Cart.Add(session, product);
            return ValueTask.CompletedTask;
        });

        MapCart("/cart/take", "/#cart", Cart.TakeAsync);

        MapCart("/cart/remove", "/#cart", static (session, product) =>
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

        MapOrder("/instances/kill", FarmOrder.Kill);
        MapOrder("/instances/start", FarmOrder.Start);

        void MapCart(string route, string back, Func<Session, Product, ValueTask> change) =>
            forms.MapPost(route, async (IFormCollection form, Session session) =>
            {
                if (Catalog.Find(form["product"]) is { } product)
                    await change(session, product);
                return TypedResults.Redirect(back);
            });

        void MapOrder(string route, string verb) => forms.MapPost(route, (HttpContext context, IFormCollection form, Session session) =>
        {
            var farm = FarmView.Of(context.Request);
            if (farm?.Instances.FirstOrDefault(instance => instance.Name == form["instance"]) is { } instance)
            {
                context.Response.Headers[FarmOrder.Header] = new FarmOrder(verb, instance.Name).ToString();
                session.Flash("message", $"Instance {instance.Name} " + (verb, instance.Up) switch
                {
                    (FarmOrder.Kill, true) when farm.Instances.Count(static other => other.Up) == 1 => "is the last one, so it stays.",
                    (FarmOrder.Kill, true) => "was killed. Your session is not in any instance, so it lives on.",
                    (FarmOrder.Start, false) => "was started again. It knows you at once.",
                    (_, true) => "is up already.",
                    (_, false) => "is down already.",
                });
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
