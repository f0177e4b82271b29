using StockApp.Shop;

namespace StockApp;

/// <summary>The program as it is written for the framework's own session.</summary>
internal static class Before
{
    public static WebApplication Build(string[] args)
    {
        // <program>
        var builder = WebApplication.CreateBuilder(args);
        builder.AddShop();
        builder.Services.AddSession();

        var app = builder.Build();
        app.UseStaticFiles();
        app.UseSession();
        app.MapRazorPages();
        // </program>
        return app;
    }
}
