using RedisSessions;
using StockApp.Shop;

namespace StockApp;

/// <summary>The same program with RedisSessions. Between the marks, two lines differ; <c>docs/migrating.md</c> shows them.</summary>
internal static class After
{
    public static WebApplication Build(string[] args)
    {
        // <program>
        var builder = WebApplication.CreateBuilder(args);
        builder.AddShop();
        builder.Services.AddRedisSessions().AddRedis().Import(ImportFrom.AspNetCoreSession());

        var app = builder.Build();
        app.UseStaticFiles();
        app.UseRedisSessions();
        app.MapRazorPages();
        // </program>
        return app;
    }
}
