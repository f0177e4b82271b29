using System.Globalization;
using System.Text.Json;
using RedisSessions;
using TargetApp;

// One process that load tools drive: plain HTTP, no logging. What each route does is fixed, because measurements and checks are written against it.
var builder = MeasuredServer.Create(args);
var sessions = builder.Services.AddRedisSessions()
    .ConfigureCookie(cookie =>
    {
        cookie.Name = "session";
        cookie.SecurePolicy = CookieSecurePolicy.None;
    })
    .AddRedis();
if (Database.Choose(builder.Configuration) is var (dialect, dataSource))
    sessions.AddDatabase(dialect, _ => dataSource);

var app = builder.Build();
app.UseRedisSessions();

var seed = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "payload.json"))).RootElement;

Map("/hello", static () => "hello").WithSessionAccess(SessionAccess.None);

Map("/seed", (Session session) =>
{
    foreach (var value in seed.EnumerateObject())
        session[value.Name] = value.Value.ValueKind == JsonValueKind.Number ? value.Value.GetInt64() : value.Value.GetString();
    return "ok";
});

// What is compared with others takes the session from the context, as they do.
Map("/read", static (HttpContext context) => Text(context.GetSession()["account.current_user_id"]));

Map("/slowread", static async (Session session, int delay = 0) =>
{
    var value = Text(session["account.current_user_id"]);
    await Task.Delay(delay);
    return value;
});

Map("/incr", static async (HttpContext context, int delay = 0) => Text(await context.GetSession().UpdateAsync(async session =>
{
    var n = session.Get<long>("n");
    if (delay > 0)
        await Task.Delay(delay);
    session["n"] = n + 1;
    return n + 1;
})));

Map("/add", static (Session session) =>
{
    session.Increment("n");
    return "ok";
});

Map("/naive", static async (Session session, int delay = 0) =>
{
    var n = session.Get<long>("n");
    if (delay > 0)
        await Task.Delay(delay);
    session["n"] = n + 1;
    return Text(n + 1);
});

Map("/set", static async (HttpContext context, string key, string val, int delay = 0) =>
{
    if (delay > 0)
        await Task.Delay(delay);
    context.GetSession()[key] = val;
    return "ok";
});

Map("/push", static (Session session, string val) =>
{
    session.Push("log", val);
    return "ok";
});

// What was pushed, in order; "none" where there is no session at all.
Map("/log", static (Session session) => session.IsNew ? "none" : string.Join(',', session["log"] as IReadOnlyList<object?> ?? []));

Map("/diagnostics", static (bool collect = false) => Diagnostics.Now(collect)).WithSessionAccess(SessionAccess.None);

Map("/all", static (Session session) => Results.Bytes(FlatJson.Write(session.All()), "application/json"));

Map("/login", static (Session session, long user) =>
{
    session["account.current_user_id"] = user;
    session.RegenerateId(deleteOld: true);
    return "ok";
});

Map("/exclusive", static async (Session session, int delay = 0) =>
{
    var n = session.Get<long>("n");
    if (delay > 0)
        await Task.Delay(delay);
    session["n"] = n + 1;
    return Text(n + 1);
}).WithSessionAccess(SessionAccess.Exclusive);

Map("/readonly", static (Session session) => Text(session["account.current_user_id"])).WithSessionAccess(SessionAccess.ReadOnly);

Map("/isession-set", static async (HttpContext context, string key, string val, int delay = 0) =>
{
    if (delay > 0)
        await Task.Delay(delay);
    context.Session.SetString(key, val);
    return "ok";
});

Map("/isession-get", static (HttpContext context, string key) => context.Session.GetString(key) ?? "");

Map("/isession-incr", static async (HttpContext context, int delay = 0) =>
{
    var n = context.Session.GetInt32("n") ?? 0;
    if (delay > 0)
        await Task.Delay(delay);
    context.Session.SetInt32("n", n + 1);
    return Text(n + 1);
});

Map("/sessions", static async (Session session, ISessionDirectory directory) =>
    Text(Text(session["account.current_user_id"]) is { Length: > 0 } user ? (await directory.ListAsync(user, session)).Count : 0));

Map("/signout-others", static async (Session session, ISessionDirectory directory) =>
{
    await directory.EndOthersAsync(session);
    return "ok";
});

Map("/rotate", static (Session session) =>
{
    session.RegenerateId(deleteOld: false);
    return "ok";
});

Map("/logout", static (Session session) =>
{
    session.Destroy(expireCookie: true);
    return "ok";
});

await app.RunAsync();

RouteHandlerBuilder Map(string route, Delegate handler) => app.MapMethods(route, ["GET", "POST"], handler);

static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
