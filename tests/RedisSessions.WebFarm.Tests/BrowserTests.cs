using System.Reflection;
using Microsoft.Playwright;

namespace RedisSessions.WebFarm.Tests;

/// <summary>The page in a real browser, with and without scripts, and the pictures that the README shows.</summary>
public sealed class BrowserTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_visitor_logs_in_shops_races_and_survives_the_death_of_an_instance()
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        await using var browser = await Chromium.OpenAsync();
        var page = await PageAsync(browser, farm, 1200, 900, scripts: true);
        List<string> problems = [];
        page.Console += (_, message) => { if (message.Type is "error" or "warning") problems.Add(message.Text); };
        page.RequestFailed += (_, request) => problems.Add(request.Url);
        page.Request += (_, request) =>
        {
            var url = new Uri(request.Url);
            if (url.Scheme != "data" && url.Authority != farm.Address.Authority)
                problems.Add(request.Url);
        };
        await page.GotoAsync("/");
        var before = await page.Locator("#session-id").TextContentAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Add Espresso beans" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Add Stoneware cup" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "One Stoneware cup more" }).ClickAsync();
        await Assertions.Expect(page.Locator("#total")).ToHaveTextAsync("€ 39.90");

        await page.GetByLabel("Your name").FillAsync("Ada");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#user")).ToHaveTextAsync("Ada");
        await Assertions.Expect(page.Locator("#former-id")).ToHaveTextAsync(before!);
        await Assertions.Expect(page.Locator("#session-id")).Not.ToHaveTextAsync(before!);
        await Assertions.Expect(page.Locator("#total")).ToHaveTextAsync("€ 39.90");

        await page.GetByRole(AriaRole.Button, new() { Name = "Run the race" }).ClickAsync();
        await Assertions.Expect(page.Locator("#ours .score")).ToHaveTextAsync("50 of 50 kept, none lost");
        await Assertions.Expect(page.Locator("#framework .lost")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Kill instance B" }).ClickAsync();
        await Assertions.Expect(page.Locator("[data-instance=B]")).ToHaveAttributeAsync("data-up", "no");
        await Assertions.Expect(page.Locator("#message")).ToContainTextAsync("Instance B was killed");
        await SaveAsync(page, "web-farm.png", page.Locator("body"));
        await SaveAsync(page, "race.png", page.Locator("#race"));
        for (var i = 0; i < 4; i++)
        {
            await page.ReloadAsync();
            await Assertions.Expect(page.Locator("#instance")).Not.ToHaveTextAsync("B");
            await Assertions.Expect(page.Locator("#user")).ToHaveTextAsync("Ada");
            await Assertions.Expect(page.Locator("#total")).ToHaveTextAsync("€ 39.90");
        }

        await page.GetByRole(AriaRole.Button, new() { Name = "Start instance B again" }).ClickAsync();
        await Assertions.Expect(page.Locator("[data-instance=B]")).ToHaveAttributeAsync("data-up", "yes");
        await page.GetByRole(AriaRole.Button, new() { Name = "Log out" }).ClickAsync();
        await Assertions.Expect(page.Locator("#user")).ToHaveTextAsync("nobody");
        await Assertions.Expect(page.GetByText("Nothing in it yet")).ToBeVisibleAsync();
        Assert.Empty(problems);
    }

    [Fact]
    public async Task On_a_phone_without_scripts_it_works_by_keyboard()
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        await using var browser = await Chromium.OpenAsync();
        var page = await PageAsync(browser, farm, 390, 844, scripts: false);
        await page.GotoAsync("/");

        await page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(page.GetByText("Skip to the shop")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Add Espresso beans" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#total")).ToHaveTextAsync("€ 14.90");

        await page.GetByRole(AriaRole.Button, new() { Name = "Run the race" }).PressAsync("Enter");
        await Assertions.Expect(page.Locator("#ours .score")).ToHaveTextAsync("50 of 50 kept, none lost");

        // Nothing stands out to the right of a narrow screen.
        foreach (var part in await page.Locator("header, main section, footer").AllAsync())
        {
            var box = await part.BoundingBoxAsync();
            Assert.InRange(box!.X + box.Width, 0, 390);
        }
    }

    /// <summary>Pictures are part of the repository, so they change only when they are meant to: UPDATE_SCREENSHOT=1.</summary>
    private static async Task SaveAsync(IPage page, string name, ILocator part)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_SCREENSHOT") != "1")
            return;
        var images = typeof(BrowserTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static data => data.Key == "Images").Value!;
        var path = Path.Combine(images, name);
        // Where no field has the focus and the mouse is nowhere.
        await page.Mouse.MoveAsync(0, 0);
        await page.EvaluateAsync("window.scrollTo(0, 0)");
        await part.ScreenshotAsync(new() { Path = path, Animations = ScreenshotAnimations.Disabled });
    }

    private static async Task<IPage> PageAsync(Chromium chromium, FarmProcess farm, int width, int height, bool scripts) =>
        await (await chromium.ContextAsync(new()
        {
            BaseURL = farm.Address.ToString(),
            ViewportSize = new() { Width = width, Height = height },
            JavaScriptEnabled = scripts,
            ColorScheme = ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
        })).NewPageAsync();
}
