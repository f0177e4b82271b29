using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.ViewFeatures;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>An endpoint that puts an object into the session that contains itself: its request fails, and the process goes on.</summary>
public sealed class GraphTests(StoreFixture store)
{
    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/set", (Session session) => { session["a"] = 1; });
        app.MapGet("/get", (Session session) => $"{session["a"]}");
        app.MapGet("/user", (Session session, HttpContext context) =>
        {
            context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("name", "ann")], "cookies"));
            session["a"] = 2;
            session["user"] = context.User;
        });
        app.MapGet("/temp", (HttpContext context, ITempDataDictionaryFactory factory) =>
        {
            List<object> list = [];
            list.Add(list);
            var temp = factory.GetTempData(context);
            temp["list"] = list;
            temp.Save();
        });
    }

    [Theory]
    [InlineData("/user", "The session value 'user', a System.Security.Claims.ClaimsPrincipal, cannot be stored in a session: it contains itself")]
    [InlineData("/temp", "cannot serialize")]
    public async Task The_request_is_answered_500_and_the_process_and_the_session_stay_as_they_were(string path, string reason)
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints, configure: static builder => builder.Services.AddRazorPages().AddSessionStateTempDataProvider());
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set");
        Assert.Equal(HttpStatusCode.InternalServerError, (await browser.GetAsync(path)).Status);
        await app.Logs.HaveAsync(reason);
        Assert.Equal("1", (await browser.GetAsync("/get")).Body);
    }
}
