using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using RedisSessions;
using RedisSessions.Consistency.App;
using RedisSessions.Consistency.Http.Wire;
using RedisSessions.Consistency.Scripts;
using TargetApp;

var builder = MeasuredServer.Create(args);
var settings = builder.Configuration;
var offset = double.Parse(settings[ProcessSettings.ClockOffset] ?? "0", CultureInfo.InvariantCulture);
if (offset != 0)
    builder.Services.AddSingleton<TimeProvider>(new OffsetClock(TimeSpan.FromSeconds(offset)));
var sessions = builder.Services.AddRedisSessions()
    .ConfigureCookie(cookie =>
    {
        cookie.Name = ProcessSettings.Cookie;
        cookie.SecurePolicy = CookieSecurePolicy.None;
    })
    .AddRedis();
if (Database.Choose(settings) is var (dialect, dataSource))
    sessions.AddDatabase(dialect, _ => dataSource);

var app = builder.Build();
using var witness = new Witness(
    settings[ProcessSettings.Witness] ?? throw new InvalidOperationException($"--{ProcessSettings.Witness} is missing."));

// In front of the sessions: an exception that they do not map gets here, and the server answers a bare 500.
app.Use(async (context, next) =>
{
    try
    {
        await next(context);
    }
    catch (Exception e) when (context.Items[witness] is Witnessed witnessed)
    {
        // The server wraps what a commit at the first byte throws.
        var cause = e.GetBaseException();
        witness.Write(witnessed with { Thrown = $"{cause.GetType().Name}: {cause.Message}" });
        throw;
    }
});
app.UseRedisSessions();

app.MapGet(ProcessSettings.Hello, static () => "hello").WithSessionAccess(SessionAccess.None);
app.MapGet(ProcessSettings.Ready, static () => "ready").WithSessionAccess(SessionAccess.ReadOnly);
foreach (var access in (SessionAccess[])[SessionAccess.Optimistic, SessionAccess.ReadOnly, SessionAccess.Exclusive])
    app.MapPost(ProcessSettings.Run(access), RunAsync).WithSessionAccess(access);

await app.RunAsync();

// The response has no body of its own: the first byte, or its absence, comes after the commit all the same.
async Task<IResult> RunAsync(HttpContext context, Session session)
{
    var request = await JsonSerializer.DeserializeAsync<Request>(context.Request.Body, Json.Options, context.RequestAborted)
        ?? throw new InvalidOperationException("The request is empty.");
    var isNew = session.IsNew;
    Note(new Witnessed(request.Id, isNew, null, null));
    var result = await Interpreter.RunAsync(
        request, session, static milliseconds => Task.Delay(TimeSpan.FromMilliseconds(milliseconds)),
        // The browser's leaving would leave open whether a commit was sent before.
        CancellationToken.None);
    Note(new Witnessed(request.Id, isNew, result.Segments, result.Failure is null ? result.Open : null));
    // As an endpoint does that catches nothing: the middleware answers.
    if (result.Failure is { } failure)
        ExceptionDispatchInfo.Throw(failure);
    return Results.Text("done");

    void Note(Witnessed witnessed)
    {
        context.Items[witness] = witnessed;
        witness.Write(witnessed);
    }
}
