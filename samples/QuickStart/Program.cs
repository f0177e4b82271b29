using RedisSessions;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddRedisSessions()
    .AddRedis("localhost:6379");

var app = builder.Build();
app.UseRedisSessions();

app.MapPost("/login", (Session session) =>
{
    session["account.current_user_id"] = 42;
    session.RegenerateId(deleteOld: true);
});
app.MapPost("/cart", async (Session session, string sku, int quantity) =>
{
    // Runs again by itself if another request of this visitor was faster.
    await session.UpdateAsync(s => s[$"cart.{sku}"] = s.Get<int>($"cart.{sku}") + quantity);
    session.Flash("message", "Added to your cart.");
});
app.MapGet("/cart", (Session session) => session["cart"]);
app.MapPost("/logout", (Session session) => session.Destroy(expireCookie: true));

app.Run();
